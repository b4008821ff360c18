#pragma once
#include <string>
#include <string_view>

namespace trestle {

/// A fresh token: 32 bytes from the system's random source as base64url (43 characters, RFC 4648 section 5,
/// no padding). Throws std::runtime_error if there is no randomness, which no caller can mend.
std::string new_token();

/// SHA-256 of a token, 64 lower-case hex digits. Tokens are random and long, so a plain hash is not worth
/// guessing at.
std::string hash_token(std::string_view token);

/// Compares in a time that depends on the lengths only.
bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace trestle
