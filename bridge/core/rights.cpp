#include "bridge/core/rights.h"

#include <algorithm>
#include <optional>

#include "proto/topic.h"
#include "proto/topic_alphabet.h"

namespace trestle {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::string_view kSubject = "{sub}";

Pattern everything() { return *Pattern::parse(">"); }

std::vector<Pattern>* list_of(Rights& rights, std::string_view verb) {
  if (verb == "read") return &rights.read;
  if (verb == "publish") return &rights.publish;
  if (verb == "command") return &rights.command;
  return nullptr;
}

/// `template_text` with every segment `{sub}` replaced by `segment`.
std::string fill_in(std::string_view template_text, std::string_view segment) {
  std::string text;
  while (true) {
    const auto part = template_text.substr(0, template_text.find('.'));
    text += part == kSubject ? segment : part;
    if (part.size() == template_text.size()) return text;
    text += '.';
    template_text.remove_prefix(part.size() + 1);
  }
}

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

/// Adds what one scope grants. The pattern is checked with a stand-in first, so that what is no scope is
/// found whoever the subject is.
std::optional<Error> grant(Rights& rights, const std::string& scope, std::string_view sub) {
  if (scope == "admin") {
    rights.admin = true;
    return std::nullopt;
  }
  const auto colon = scope.find(':');
  if (scope.substr(0, colon) == "see") return add_sight(rights, scope);
  auto* list = list_of(rights, std::string_view(scope).substr(0, colon));
  if (list == nullptr) {
    return Error{"unknown scope \"" + scope +
                 "\" (admin, read, publish, command or see; read:task.> names a pattern, see:secrets what "
                 "policies redact unless: secrets)"};
  }
  if (colon == std::string::npos) {
    list->push_back(everything());
    return std::nullopt;
  }
  const auto pattern = scope.substr(colon + 1);
  if (const auto checked = Pattern::parse(fill_in(pattern, "x")); !checked) {
    const bool misplaced = fill_in(pattern, "x").find(kSubject) != std::string::npos;
    return Error{"scope \"" + scope + "\": " + checked.error().message +
                 (misplaced ? " ({sub} must be a whole segment: task.{sub}.>)" : "")};
  }
  const bool is_template = fill_in(pattern, "") != pattern;
  if (is_template && sub.empty()) return std::nullopt;
  auto filled = Pattern::parse(fill_in(pattern, escape_key(sub)));
  if (filled)
    list->push_back(std::move(*filled));  // not with a subject that makes it longer than a topic may be
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

Result<Rights> parse_scopes(const std::vector<std::string>& scopes, std::string_view sub) {
  Rights rights;
  for (const auto& scope : scopes) {
    if (auto problem = grant(rights, scope, sub)) return *problem;
  }
  return rights;
}

Rights known_scopes(const std::vector<std::string>& scopes, std::string_view sub) {
  Rights rights;
  for (const auto& scope : scopes) grant(rights, scope, sub);
  return rights;
}

bool is_scope_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace trestle
