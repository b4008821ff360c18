#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace trestle {

/// Where each value came from, for messages: "trestle.yaml:3:5: listen.port" or "TRESTLE_LISTEN_PORT". Values
/// are known by their path in the tree of keys, list items by number: `listen[0].port`.
class Places {
 public:
  /// `source` is what a message starts with when nothing on the path was configured.
  explicit Places(std::string source) : source_(std::move(source)) {}

  void set_in_file(const std::string& path, std::size_t line, std::size_t column);
  void set_in_environment(const std::string& path, const std::string& variable);

  /// The error line for a complaint about the value at `path`, or about the nearest thing around it that was
  /// configured.
  std::string line(const std::string& path, const std::string& message) const;
  /// What a later message about the value at `path` starts with: its own place, or if it is a default the
  /// source and the key.
  std::string start(const std::string& path) const;
  /// The error line for a place in the file.
  std::string line(std::size_t line, std::size_t column, const std::string& message) const;

 private:
  std::string source_;
  std::map<std::string, std::string> places_;
};

/// `a.b`, or `b` at the top.
std::string path_join(const std::string& parent, const std::string& name);
std::string path_item(const std::string& list, std::size_t index);
/// The path as people say it, without numbers: `listen.port`.
std::string path_shown(const std::string& path);

}  // namespace trestle
