#pragma once
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <string>

#include "bridge/auth/token_file.h"
#include "proto/result.h"

namespace trestle {

/// Thrown inside a reader that read_yaml() calls, to leave nested reading at once.
struct BadEntry {
  YAML::Mark mark;
  std::string what;
};

inline std::string scalar(const YAML::Node& node, const std::string& name) {
  if (!node.IsScalar()) throw BadEntry{node.Mark(), name + " must be a text"};
  return node.Scalar();
}

inline Micros time_of(const YAML::Node& node, const std::string& name) {
  const auto time = parse_time(scalar(node, name));
  if (!time) throw BadEntry{node.Mark(), name + " must be a time such as 2027-01-01T00:00:00Z"};
  return *time;
}

/// What `read` makes of the text; errors of it and of the YAML start with the file and the place in it.
template <class T>
Result<T> read_yaml(const std::filesystem::path& file, const std::string& text,
                    T (*read)(const YAML::Node&)) {
  const auto at = [&](const YAML::Mark& mark, const std::string& what) {
    return Error{file.string() + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) +
                 ": " + what};
  };
  try {
    return read(YAML::Load(text));
  } catch (const BadEntry& bad) {
    return at(bad.mark, bad.what);
  } catch (const YAML::Exception& error) {
    return at(error.mark, error.msg);
  }
}

}  // namespace trestle
