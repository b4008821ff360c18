#pragma once
#include <array>
#include <cstddef>
#include <string_view>

namespace trestle {

/// Why a message from a producer was refused; the names are those of /api/status and $sys.rejected.
enum class Reject {
  none,
  frame_count,       ///< not 1, 2 or 4 frames
  bad_producer,      ///< a producer id outside [A-Za-z0-9_-]{1,64}
  bad_stamp,         ///< not 24 bytes, or a field of 0 or at least 2^53; of one with a good epoch and seq
                     ///< the place is known, and lost
  too_big,           ///< payload over ingest.max_event
  invalid_utf8,      ///< payload is not UTF-8
  not_json,          ///< payload does not parse, or something follows the value
  not_object,        ///< payload is JSON but not an object
  too_deep,          ///< more than 64 levels of nesting
  no_type,           ///< no string member "type"
  duplicate_member,  ///< a member on the path to `type` or to the policy's key occurs twice
  bad_topic,         ///< given or derived topic breaks the grammar or is over 255 bytes
  topic_mismatch,    ///< the given topic does not start with the event's type
  reserved,          ///< a topic or type that starts with `$`, or the type of one of Trestle's own notices
  seq_backwards,     ///< a seq this bridge already has: a duplicate, or a producer that counts backwards
  old_epoch,         ///< from an epoch of this producer that has been superseded
  seq_range,         ///< more than 10 million ahead of what was seen
  unknown_producer,  ///< of a producer that has not said hello: an event within 2 s, or a `gone`, `bye`,
                     ///< `result`
  overload,          ///< plain event or control message discarded because the bridge is behind
  bad_control,       ///< a control message that is not understood
  unlisted_key,      ///< of a connection whose CURVE key was taken off the list of producers
  forbidden_id,      ///< a producer id that the sender's CURVE key does not allow
  forbidden_topic,   ///< a topic that the sender's CURVE key does not allow
  hello_refused,     ///< a hello answered with `refused`: its id is in use, or there are too many producers
  count_
};
inline constexpr std::size_t kRejectCount = static_cast<std::size_t>(Reject::count_);

/// The reason's name, for example "topic_mismatch"; "none" for Reject::none.
std::string_view name_of(Reject reason);

}  // namespace trestle
