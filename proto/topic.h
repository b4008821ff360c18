#pragma once
#include <string>
#include <string_view>

#include "proto/reject.h"

namespace trestle {

/// Topics: `<type>` or `<type>.<key>`; segments of [A-Za-z0-9_-] joined by dots, at most kMaxTopic bytes. Any
/// other byte of a type, and any other byte of a key including a dot, is written %XX, upper case, and in no
/// other way: bytes that need no escape must not be escaped. A key over kMaxKey bytes once escaped becomes
/// `~` and the first 32 lower-case hex digits of the SHA-256 of the raw key.
inline constexpr std::size_t kMaxTopic = 255;
inline constexpr std::size_t kMaxKey = 128;

/// True if `topic` is in the one canonical form above. Topics of the bridge's own (`$sys.…`) are not: see
/// is_system_topic.
bool is_topic(std::string_view topic);
/// True for topics whose first segment starts with `$`, which only the bridge makes.
inline bool is_system_topic(std::string_view topic) { return !topic.empty() && topic.front() == '$'; }
/// True for an id that matches [A-Za-z0-9_-]{1,64}.
bool is_producer_id(std::string_view id);

/// The type as leading segments of a topic: dots stay, other bytes outside the alphabet are escaped.
/// Empty if it can't be one (empty, an empty segment, over kMaxTopic once escaped).
std::string escape_type(std::string_view type);
/// The key as one segment: dots are escaped too, long keys hashed. Empty only for an empty key.
std::string escape_key(std::string_view key);

/// True if `topic` is `type_topic` or continues it with a dot.
bool topic_starts_with(std::string_view topic, std::string_view type_topic);

/// `type_topic`, or `type_topic.<escaped key>` when `key` is not empty. Reject::bad_topic (in `why`, topic
/// empty) when the result is over kMaxTopic bytes.
std::string join_topic(std::string_view type_topic, std::string_view key, Reject& why);

/// Types that clients know as Trestle's own notices (welcome, live, gap, cursor, drain), and every type that
/// starts with `$`: producers may not use them.
bool is_reserved_type(std::string_view type);

}  // namespace trestle
