#include "proto/topic.h"

#include <openssl/evp.h>

#include <array>

#include "proto/topic_alphabet.h"

namespace trestle {
namespace {

constexpr std::size_t kEscape = 3;  // %XX
constexpr std::size_t kHashDigits = 32;
constexpr char kUpperHex[] = "0123456789ABCDEF";
constexpr char kLowerHex[] = "0123456789abcdef";

int upper_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// The byte that `text` escapes with its first three characters, or -1 if they are no escape.
int escaped_byte(std::string_view text) {
  if (text.size() < kEscape) return -1;
  const int high = upper_hex_value(text[1]);
  const int low = upper_hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_hash(std::string_view segment) {
  if (segment.size() != 1 + kHashDigits) return false;
  for (const char c : segment.substr(1)) {
    if (!is_lower_hex(c)) return false;
  }
  return true;
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kUpperHex[byte >> 4]);
  out.push_back(kUpperHex[byte & 0xF]);
}

std::string hash_of(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string out = "~";
  for (std::size_t i = 0; i < kHashDigits / 2; ++i) {
    out.push_back(kLowerHex[digest[i] >> 4]);
    out.push_back(kLowerHex[digest[i] & 0xF]);
  }
  return out;
}

}  // namespace

std::string_view segment_fault(std::string_view segment, SegmentPlace place) {
  if (segment.empty()) return "is empty";
  if (segment.front() == '~') {
    if (place.first) return "is a key's hash, but the first segment belongs to the type";
    if (!place.last) return "is a key's hash, which only the last segment can be";
    return is_hash(segment) ? "" : "starts with '~' but is not '~' and 32 lower-case hex digits";
  }
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (is_plain(segment[i])) continue;
    if (segment[i] != '%') return "has a character outside A-Z a-z 0-9 _ - that is not written as %XX";
    const int byte = escaped_byte(segment.substr(i));
    if (byte < 0) return "has a '%' without two upper-case hex digits behind it";
    if (is_plain(static_cast<char>(byte))) return "escapes a character that needs no escape";
    if (byte == '.' && place.first) return "escapes a dot, which separates the segments of a type";
    i += kEscape - 1;
  }
  return "";
}

bool is_topic(std::string_view topic) {
  if (topic.empty() || topic.size() > kMaxTopic) return false;
  std::size_t start = 0;
  bool only_plain = true;
  for (std::size_t i = 0; i <= topic.size(); ++i) {
    const TopicByte kind = i < topic.size() ? topic_byte(topic[i]) : TopicByte::dot;
    if (kind == TopicByte::plain) continue;
    if (kind == TopicByte::other) return false;
    if (kind != TopicByte::dot) {
      only_plain = false;
      continue;
    }
    if (i == start) return false;
    const SegmentPlace place{start == 0, i == topic.size()};
    if (!only_plain && !segment_fault(topic.substr(start, i - start), place).empty()) return false;
    start = i + 1;
    only_plain = true;
  }
  return true;
}

bool is_producer_id(std::string_view id) {
  constexpr std::size_t kMaxProducerId = 64;
  if (id.empty() || id.size() > kMaxProducerId) return false;
  for (const char c : id) {
    if (!is_plain(c)) return false;
  }
  return true;
}

std::string escape_type(std::string_view type) {
  std::string out;
  if (type.size() > kMaxTopic) return out;
  char before = '.';
  for (const char c : type) {
    if (c == '.' && before == '.') return {};
    if (c == '.' || is_plain(c)) {
      out.push_back(c);
    } else {
      append_escaped(out, c);
    }
    before = c;
  }
  if (before == '.' || out.size() > kMaxTopic) return {};
  return out;
}

std::string escape_key(std::string_view key) {
  if (key.size() > kMaxKey) return hash_of(key);
  std::string out;
  for (const char c : key) {
    if (is_plain(c)) {
      out.push_back(c);
    } else {
      append_escaped(out, c);
    }
  }
  return out.size() > kMaxKey ? hash_of(key) : out;
}

bool topic_starts_with(std::string_view topic, std::string_view type_topic) {
  if (topic.substr(0, type_topic.size()) != type_topic) return false;
  return topic.size() == type_topic.size() || topic[type_topic.size()] == '.';
}

std::string join_topic(std::string_view type_topic, std::string_view key, Reject& why) {
  std::string out(type_topic);
  if (!key.empty()) out.append(1, '.').append(escape_key(key));
  const bool fits = out.size() <= kMaxTopic;
  why = fits ? Reject::none : Reject::bad_topic;
  return fits ? out : std::string();
}

bool is_reserved_type(std::string_view type) {
  if (!type.empty() && type.front() == '$') return true;
  return type == "welcome" || type == "live" || type == "gap" || type == "cursor" || type == "drain";
}

}  // namespace trestle
