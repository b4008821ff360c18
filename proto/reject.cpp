#include "proto/reject.h"

namespace trestle {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kRejectCount> kNames = {
    "none",           "frame_count", "bad_producer",  "bad_stamp",    "too_big",          "invalid_utf8",
    "not_json",       "not_object",  "too_deep",      "no_type",      "duplicate_member", "bad_topic",
    "topic_mismatch", "reserved",    "seq_backwards", "old_epoch",    "seq_range",        "unknown_producer",
    "overload",       "bad_control", "unlisted_key",  "forbidden_id", "forbidden_topic",  "hello_refused",
};
static_assert(!kNames.back().empty(), "every reason needs a name");

}  // namespace

std::string_view name_of(Reject reason) {
  const auto i = static_cast<std::size_t>(reason);
  return i < kNames.size() ? kNames[i] : "unknown";
}

}  // namespace trestle
