#pragma once
#include <string.h>

#include <array>
#include <cstddef>
#include <string>

namespace trestle {

/// Overwrites what held a secret. Unlike a plain fill, the compiler must not leave it out.
inline void wipe(char* bytes, std::size_t size) { ::explicit_bzero(bytes, size); }

/// The same of a text, with all the room it has, for it may have been longer; it is empty then.
inline void wipe(std::string& secret) {
  secret.resize(secret.capacity());
  wipe(secret.data(), secret.size());
  secret.clear();
}

/// Overwrites what functions that have returned left of a secret where nobody else can reach it: in this
/// thread's vector registers, which hold what was copied last, and on its stack, 32 KiB of it. An exception
/// that a library throws, or the linker when it looks up a function of another library at its first call,
/// puts all those registers away there; and a new thread begins with those of the thread that made it.
[[gnu::noinline]] inline void wipe_traces() {
  std::array<char, 32 * 1024> below;
  wipe(below.data(), below.size());
  // Which registers a copy goes through depends on its size, in powers of two. From 2 KiB on they are those
  // of smaller copies, or none. Through a volatile pointer, or the compiler would leave it out.
  void* (*volatile const copy)(void*, const void*, std::size_t) = ::memmove;
  for (std::size_t size = 1; size <= 4096; size *= 2) copy(below.data(), below.data() + 4096, size);
}

}  // namespace trestle
