#include "proto/curve_key.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace trestle {
namespace {

// RFC 32/Z85: each five characters are four bytes, in base 85.
constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr std::size_t kKeyText = 40;
constexpr std::size_t kGroup = 5;

bool is_group(std::string_view characters) {
  std::uint64_t value = 0;
  for (const char c : characters) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return false;
    value = value * kAlphabet.size() + digit;
  }
  return value <= std::numeric_limits<std::uint32_t>::max();
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<Error> take_line(std::string_view line, CurveKeys& keys) {
  const auto colon = line.find(':');
  const auto name = colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, colon));
  auto* key = name == "public" ? &keys.public_key : name == "secret" ? &keys.secret_key : nullptr;
  if (key == nullptr) {
    return Error{"neither \"public: KEY\" nor \"secret: KEY\", which is all that a key file holds"};
  }
  if (!key->empty()) return Error{"a second " + std::string(name) + " key"};
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_curve_key(value)) {
    return Error{"the " + std::string(name) +
                 " key is none (40 characters, as `trestle keygen` writes them)"};
  }
  *key = value;
  return std::nullopt;
}

}  // namespace

bool is_curve_key(std::string_view text) {
  if (text.size() != kKeyText) return false;
  for (std::size_t at = 0; at < kKeyText; at += kGroup) {
    if (!is_group(text.substr(at, kGroup))) return false;
  }
  return true;
}

Result<CurveKeys> parse_curve_keys(std::string_view text) {
  CurveKeys keys;
  std::size_t number = 1;
  for (std::size_t start = 0; start < text.size(); ++number) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = trimmed(text.substr(start, end - start));
    start = end + 1;
    if (line.empty() || line.front() == '#') continue;
    if (const auto error = take_line(line, keys))
      return Error{std::to_string(number) + ": " + error->message};
  }
  if (keys.public_key.empty())
    return Error{std::to_string(number) + ": no public key: \"public: KEY\" is missing"};
  return keys;
}

std::string print_curve_keys(const CurveKeys& keys, std::string_view comment) {
  std::string text = "# " + std::string(comment) + "\npublic: " + keys.public_key + "\n";
  if (!keys.secret_key.empty()) text += "secret: " + keys.secret_key + "\n";
  return text;
}

}  // namespace trestle
