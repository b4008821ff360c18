#pragma once
#include <array>
#include <cstddef>
#include <string_view>

namespace trestle {

/// What a byte may be within a topic. One table, so that every parser of topics agrees.
enum class TopicByte : unsigned char { other, plain, dot, percent, tilde };

inline constexpr std::array<TopicByte, 256> make_topic_bytes() {
  std::array<TopicByte, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = TopicByte::plain;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = TopicByte::plain;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = TopicByte::plain;
  table['_'] = table['-'] = TopicByte::plain;
  table['.'] = TopicByte::dot;
  table['%'] = TopicByte::percent;
  table['~'] = TopicByte::tilde;
  return table;
}
inline constexpr std::array<TopicByte, 256> kTopicBytes = make_topic_bytes();

inline constexpr TopicByte topic_byte(char c) { return kTopicBytes[static_cast<unsigned char>(c)]; }
inline constexpr bool is_plain(char c) { return topic_byte(c) == TopicByte::plain; }

/// Where a segment stands decides what it may be: the first one is of the type, so it can neither hold an
/// escaped dot nor be a hash; only the last one can be a hash.
struct SegmentPlace {
  bool first = false;
  bool last = false;
};

/// What is wrong with a literal segment, in words that fit behind "segment 2 "; empty if nothing is.
std::string_view segment_fault(std::string_view segment, SegmentPlace place);

}  // namespace trestle
