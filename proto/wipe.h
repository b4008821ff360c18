#pragma once
#include <string.h>

#include <array>
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

/// Overwrites what functions that have returned left on the thread's stack, 32 KiB of it. Nobody else can
/// reach that: an exception that a library throws, or the linker when it looks up a function of another
/// library at its first call, puts away all vector registers there, and in those is what was copied last.
[[gnu::noinline]] inline void wipe_stack() {
  std::array<char, 32 * 1024> below;
  wipe(below.data(), below.size());
}

}  // namespace trestle
