#pragma once
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "bridge/auth/token_file.h"
#include "proto/result.h"
#include "proto/utf8.h"

namespace trestle {

/// Thrown inside a reader that read_yaml() calls, to leave nested reading at once.
struct BadEntry {
  YAML::Mark mark;
  std::string what;
};

inline std::string scalar(const YAML::Node& node, const std::string& name) {
  if (!node.IsScalar()) throw BadEntry{node.Mark(), name + " must be a text"};
  // Written again it would be another text: yaml-cpp puts U+FFFD for what is not UTF-8.
  if (!is_utf8(node.Scalar())) throw BadEntry{node.Mark(), name + " must be UTF-8"};
  return node.Scalar();
}

inline Micros time_of(const YAML::Node& node, const std::string& name) {
  const auto time = parse_time(scalar(node, name));
  if (!time) throw BadEntry{node.Mark(), name + " must be a time such as 2027-01-01T00:00:00Z"};
  return *time;
}

/// A complaint may quote a key or a name, and those may hold anything: what would break the line is shown as
/// `?`.
inline std::string as_one_line(std::string text) {
  const auto breaks = [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; };
  std::replace_if(text.begin(), text.end(), breaks, '?');
  return text;
}

/// The text's one document; null if it has none. A second one is a BadEntry, for YAML::Load() would leave it
/// out untold, and with it whatever is revoked there. Throws YAML::Exception for what is not YAML.
YAML::Node load_document(const std::string& text);

/// What `read` makes of the text; errors of it and of the YAML start with the file and the place in it.
template <class T>
Result<T> read_yaml(const std::filesystem::path& file, const std::string& text,
                    T (*read)(const YAML::Node&)) {
  const auto at = [&](const YAML::Mark& mark, const std::string& what) {
    return Error{file.string() + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) +
                 ": " + as_one_line(what)};
  };
  try {
    return read(load_document(text));
  } catch (const BadEntry& bad) {
    return at(bad.mark, bad.what);
  } catch (const YAML::Exception& error) {
    return at(error.mark, error.msg);
  }
}

}  // namespace trestle
