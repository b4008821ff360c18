#include "proto/cursor.h"

#include <algorithm>
#include <charconv>

namespace trestle {

std::optional<Cursor> parse_cursor(std::string_view text) {
  if (text == "0") return Cursor{};
  const auto colon = text.find(':');
  if (colon == 0 || colon > 20 || colon + 1 >= text.size()) return std::nullopt;
  const auto epoch = text.substr(0, colon);
  if (epoch.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  Offset offset = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, offset);
  if (parsed.ec != std::errc() || parsed.ptr != end || offset >= kIntegerLimit) return std::nullopt;
  return Cursor{std::string(epoch), offset};
}

bool is_later_epoch(std::string_view a, std::string_view b) {
  const auto significant = [](std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  };
  a = significant(a);
  b = significant(b);
  return a.size() != b.size() ? a.size() > b.size() : a > b;
}

}  // namespace trestle
