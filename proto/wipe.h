#pragma once
#include <string.h>

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

}  // namespace trestle
