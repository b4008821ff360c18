#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace trestle {

/// A configuration file as a tree that remembers where everything stood; yaml-cpp's own nodes forget
/// duplicate keys and cannot tell an alias from what it stands for.
struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::size_t line = 1;         ///< from 1
  std::size_t column = 1;       ///< from 1, in bytes
  std::string text;             ///< scalar
  std::vector<YamlNode> keys;   ///< map: scalars, all different; keys[i] goes with items[i]
  std::vector<YamlNode> items;  ///< list, map
};

/// Why a text is no tree, and where.
struct YamlError {
  std::size_t line = 1;
  std::size_t column = 1;
  std::string message;
};

/// One document of plain YAML; an empty text gives Kind::null. Refused: aliases, tags, duplicate keys, keys
/// that are not scalars, a second document, control characters, what is not UTF-8, more than kMaxYamlDepth
/// levels, more than kMaxYamlBytes. Never throws.
inline constexpr std::size_t kMaxYamlBytes = 1024 * 1024;
inline constexpr std::size_t kMaxYamlDepth = 16;
Result<YamlNode, YamlError> parse_yaml(std::string_view text);

}  // namespace trestle
