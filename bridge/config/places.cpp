#include "bridge/config/places.h"

namespace trestle {
namespace {

/// What a path lies in: `a[0].b` in `a[0]`, that in `a`, that in nothing.
std::string path_around(const std::string& path) {
  const auto end = path.find_last_of(".[");
  return end == std::string::npos ? std::string{} : path.substr(0, end);
}

}  // namespace

void Places::set_in_file(const std::string& path, std::size_t line, std::size_t column) {
  places_[path] =
      source_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + path_shown(path) + ": ";
}

void Places::set_in_environment(const std::string& path, const std::string& variable) {
  const auto item = path + "[";  // what the file said of a list's items no longer holds
  for (auto at = places_.lower_bound(item); at != places_.end() && at->first.rfind(item, 0) == 0;) {
    at = places_.erase(at);
  }
  places_[path] = variable + ": ";
}

std::string Places::line(const std::string& path, const std::string& message) const {
  for (std::string around = path; !around.empty(); around = path_around(around)) {
    if (const auto at = places_.find(around); at != places_.end()) return at->second + message;
  }
  return source_ + ": " + path_shown(path) + ": " + message;
}

std::string Places::start(const std::string& path) const {
  const auto at = places_.find(path);
  return at != places_.end() ? at->second : source_ + ": " + path_shown(path) + ": ";
}

std::string Places::line(std::size_t line, std::size_t column, const std::string& message) const {
  return source_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

std::string path_join(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "." + name;
}

std::string path_item(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

std::string path_shown(const std::string& path) {
  std::string shown;
  bool inside = false;
  for (const char c : path) {
    if (c == '[') inside = true;
    if (!inside) shown += c;
    if (c == ']') inside = false;
  }
  return shown;
}

}  // namespace trestle
