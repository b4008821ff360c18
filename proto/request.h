#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/pattern.h"
#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// A client's request (wire B): JSON text with a client-chosen id.
struct Request {
  enum class Kind { subscribe, unsubscribe, auth, ping, status, command };
  Kind kind = Kind::ping;
  std::string id;                    ///< raw JSON of the id (a string or a number), empty if none was given
  std::vector<Pattern> topics;       ///< subscribe, unsubscribe: at least one
  std::optional<std::string> since;  ///< subscribe
  std::string token;                 ///< auth; wipe it once used
  std::string topic;                 ///< command
  std::string data;                  ///< command: raw JSON
};

/// Why a request was not understood or not granted.
struct RequestError {
  std::string id;  ///< raw JSON of the id as far as it could be read, else empty
  std::string
      code;  ///< bad_request, unknown_request, bad_topic, forbidden, unauthorized, unsupported, too_many
  std::string message;  ///< for a developer; says what would be right
};

/// Bounds: `text` is at most limits.message bytes (checked by the caller), at most 64 levels deep, parsed
/// iteratively; at most 256 patterns; ids of at most 128 bytes. `topics` may be an array of strings or one
/// comma-separated string.
Result<Request, RequestError> parse_request(std::string_view text);

/// {"success":true,"data":{"type":<type>,"id":<id>,<members>}}; `members` is raw JSON members without braces,
/// may be empty.
std::string reply(std::string_view type, std::string_view id, std::string_view members);
/// {"success":false,"data":{"type":"error","code":…,"message":…,"id":…}}
std::string error_reply(const RequestError& error);

}  // namespace trestle
