#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "proto/reject.h"
#include "proto/stamp.h"

namespace trestle {

/// One message of the event socket, as views into its frames (valid while those live).
struct Published {
  std::string_view topic;     ///< empty: the bridge completes it
  std::string_view producer;  ///< empty for the plain forms
  std::optional<Stamp> stamp;
  std::string_view payload;
};

/// Tells the three shapes apart by the number of frames and checks everything but topic and payload:
/// {payload}, {topic, payload}, {topic, producer, stamp, payload}.
/// Returns none, frame_count, bad_producer or bad_stamp. With bad_stamp there is a `stamp` if only its time
/// is bad: the event's place is known, and it may be refused there.
Reject decode_message(const std::vector<std::string_view>& frames, Published& out);

}  // namespace trestle
