#include "bridge/config/text.h"

#include <rapidjson/encodings.h>
#include <rapidjson/memorystream.h>

#include <algorithm>

namespace trestle {
namespace {

constexpr std::size_t kLongestQuote = 80;

/// rapidjson's validator wants somewhere to copy what it has read.
struct Nowhere {
  void Put(char) {}
};

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// As much of the text as a quote has room for, not ending inside a character.
std::string_view start_of(std::string_view text) {
  std::size_t size = std::min(text.size(), kLongestQuote);
  while (size > 0 && size < text.size() && is_continuation(text[size])) --size;
  return text.substr(0, size);
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const auto start = start_of(text);
  std::string result = "\"";
  for (const char c : start) result += is_control(c) ? '?' : c;
  return result + (start.size() < text.size() ? "…\"" : "\"");
}

std::string joined(const std::vector<std::string>& parts) {
  std::string result;
  for (const auto& part : parts) result += (result.empty() ? "" : ", ") + part;
  return result;
}

std::optional<std::size_t> find_bad_byte(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  Nowhere nowhere;
  while (stream.Tell() < text.size()) {
    const auto at = stream.Tell();
    const char c = text[at];
    const bool layout = c == '\t' || c == '\n' || c == '\r';
    if ((is_control(c) && !layout) || !rapidjson::UTF8<>::Validate(stream, nowhere)) return at;
  }
  return std::nullopt;
}

bool is_one_line(std::string_view text) {
  return !find_bad_byte(text) && std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace trestle
