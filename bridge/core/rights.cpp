#include "bridge/core/rights.h"

#include <algorithm>
#include <optional>

#include "proto/topic.h"
#include "proto/topic_alphabet.h"

namespace trestle {
namespace {

constexpr std::size_t kMaxName = 64;

Pattern everything() { return *Pattern::parse(">"); }

// `see` or `see:NAME`.
std::optional<Error> add_sight(Rights& rights, const std::string& scope) {
  if (scope == "see") {
    rights.sees_all = true;
    return std::nullopt;
  }
  auto name = scope.substr(std::string_view("see:").size());
  if (!is_scope_name(name)) {
    return Error{"scope \"" + scope + "\": a name is 1 to 64 letters, digits, - and _, such as see:secrets"};
  }
  rights.sees.push_back(std::move(name));
  return std::nullopt;
}

}  // namespace

bool Rights::may_read(std::string_view topic) const {
  return any_matches(read, topic) || (admin && is_system_topic(topic));
}

bool Rights::may_read_all(const Pattern& pattern) const {
  return any_covers(read, pattern) || (admin && is_system_topic(pattern.text()));
}

bool Rights::may_see(std::string_view name) const {
  return admin || sees_all || std::find(sees.begin(), sees.end(), name) != sees.end();
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
    if (verb == "see") {
      if (auto problem = add_sight(rights, scope)) return *problem;
      continue;
    }
    auto* list = verb == "read"      ? &rights.read
                 : verb == "publish" ? &rights.publish
                 : verb == "command" ? &rights.command
                                     : nullptr;
    if (list == nullptr) {
      return Error{"unknown scope \"" + scope +
                   "\" (admin, read, publish, command or see; read:task.> names a pattern, see:secrets what "
                   "policies redact unless: secrets)"};
    }
    auto pattern =
        colon == std::string::npos ? Result<Pattern>(everything()) : Pattern::parse(scope.substr(colon + 1));
    if (!pattern) return Error{"scope \"" + scope + "\": " + pattern.error().message};
    list->push_back(std::move(*pattern));
  }
  return rights;
}

bool is_scope_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace trestle
