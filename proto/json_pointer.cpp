#include "proto/json_pointer.h"

#include <charconv>
#include <utility>

namespace trestle {
namespace {

/// Replaces ~0 and ~1; false if a `~` is followed by anything else.
bool unescape(std::string_view escaped, std::string& token) {
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '~') {
      token.push_back(escaped[i]);
      continue;
    }
    if (++i == escaped.size() || (escaped[i] != '0' && escaped[i] != '1')) return false;
    token.push_back(escaped[i] == '0' ? '~' : '/');
  }
  return true;
}

std::uint64_t index_of(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return PointerToken::kNoIndex;
  std::uint64_t index = 0;
  const auto [stop, fault] = std::from_chars(token.data(), token.data() + token.size(), index);
  return fault == std::errc() && stop == token.data() + token.size() ? index : PointerToken::kNoIndex;
}

Error bad_pointer(std::string_view pointer, std::string_view why) {
  std::string message = "\"";
  return Error{message.append(pointer).append("\" is not a JSON pointer to a member: ").append(why)};
}

}  // namespace

Result<std::vector<PointerToken>> split_pointer(std::string_view pointer) {
  if (pointer.empty()) return bad_pointer(pointer, "it is empty, which means the whole event");
  if (pointer.front() != '/') return bad_pointer(pointer, "it must start with '/', for example \"/id\"");
  std::vector<PointerToken> tokens;
  for (auto rest = pointer; !rest.empty();) {
    const std::size_t end = rest.find('/', 1);
    std::string name;
    if (!unescape(rest.substr(1, end == std::string_view::npos ? end : end - 1), name)) {
      return bad_pointer(pointer, "'~' must be written ~0 and '/' within a name ~1");
    }
    const std::uint64_t index = index_of(name);
    tokens.push_back({std::move(name), index});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  return tokens;
}

}  // namespace trestle
