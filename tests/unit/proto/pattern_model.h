#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trestle {

inline std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

/// What "matches" means, written to be obviously right: the reference for tests and for the fuzzer.
inline bool model_matches(std::string_view pattern, std::string_view topic) {
  const auto wanted = split(pattern, '.');
  const auto given = split(topic, '.');
  const bool rest = wanted.back() == ">";
  const std::size_t fixed = wanted.size() - (rest ? 1 : 0);
  if (given.front()[0] == '$' && wanted.front() != given.front()) return false;
  if (rest ? given.size() <= fixed : given.size() != fixed) return false;
  for (std::size_t i = 0; i < fixed; ++i) {
    if (wanted[i] != "*" && wanted[i] != given[i]) return false;
  }
  return true;
}

}  // namespace trestle
