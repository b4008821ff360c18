#include "bridge/core/rights.h"

#include <algorithm>

#include "proto/topic.h"

namespace trestle {
namespace {

Pattern everything() { return *Pattern::parse(">"); }

}  // namespace

bool Rights::may_read(std::string_view topic) const {
  return any_matches(read, topic) || (admin && is_system_topic(topic));
}

bool Rights::may_read_all(const Pattern& pattern) const {
  return any_covers(read, pattern) || (admin && is_system_topic(pattern.text()));
}

std::vector<Pattern> Rights::readable() const {
  std::vector<Pattern> patterns;
  std::copy_if(read.begin(), read.end(), std::back_inserter(patterns),
               [](const Pattern& pattern) { return !is_system_topic(pattern.text()); });
  return patterns;
}

Rights Rights::reader() {
  Rights rights;
  rights.read.push_back(everything());
  return rights;
}

Result<Rights> parse_scopes(const std::vector<std::string>& scopes) {
  Rights rights;
  for (const auto& scope : scopes) {
    const auto colon = scope.find(':');
    const auto verb = scope.substr(0, colon);
    if (scope == "admin") {
      rights.admin = true;
      continue;
    }
    auto* list = verb == "read"      ? &rights.read
                 : verb == "publish" ? &rights.publish
                 : verb == "command" ? &rights.command
                                     : nullptr;
    if (list == nullptr) {
      return Error{"unknown scope \"" + scope +
                   "\" (admin, read, publish or command; the last three may name a pattern: read:task.>)"};
    }
    auto pattern =
        colon == std::string::npos ? Result<Pattern>(everything()) : Pattern::parse(scope.substr(colon + 1));
    if (!pattern) return Error{"scope \"" + scope + "\": " + pattern.error().message};
    list->push_back(std::move(*pattern));
  }
  return rights;
}

}  // namespace trestle
