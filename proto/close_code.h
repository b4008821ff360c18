#pragma once
#include <cstdint>
#include <string_view>

namespace trestle {

/// WebSocket close codes (wire B); the table in README.md tells clients what to do about each.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,  ///< draining; come back, spread out
  message_too_big = 1009,
  internal_error = 1011,
  bad_request = 4400,   ///< binary frame or bad query value
  unauthorized = 4401,  ///< no valid token
  forbidden = 4403,     ///< not allowed here
  too_slow = 4408,      ///< reason is "cursor=<epoch>:<offset>"
  token_expired = 4409,
  too_many = 4429,
};

/// A short reason for the close frame, at most 123 bytes, for example "no valid token".
std::string_view reason_of(CloseCode code);

}  // namespace trestle
