#include "bridge/core/policy.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace trestle {
namespace {

using namespace std::chrono_literals;

// The built-in patterns are constants of ours: one that does not parse is a bug, not an input.
Pattern pattern(std::string_view text) {
  auto parsed = Pattern::parse(text);
  if (!parsed) throw std::logic_error("built-in policy " + parsed.error().message);
  return *parsed;
}

Policy policy(std::string_view match, Keep keep, std::string key = {}, Retain retain = {}) {
  Policy made;
  made.match = pattern(match);
  made.keep = keep;
  made.key = std::move(key);
  made.retain = retain;
  return made;
}

Policy command_progress() {
  auto made = policy("command-progress.*", Keep::latest, "/id");
  made.until = pattern("task-finished.*");  // same key: the end of a task clears its progress
  return made;
}

Policy streaming_output() {
  auto made = policy("streaming_output.*", Keep::log, "/agent_id", {10min, {}, {}});
  made.under_pressure = UnderPressure::merge;
  made.merge = "/content";
  made.merge_by = {"/run_id"};
  return made;
}

bool applies(const Policy& policy, std::string_view topic) {
  return policy.match.matches(topic) || policy.match.is_type_with_key(topic);
}

std::string_view first_segment(const Pattern& pattern) {
  return std::string_view(pattern.text()).substr(0, pattern.text().find('.'));
}

bool is_wildcard(std::string_view segment) { return segment == "*" || segment == ">"; }

// Rather yes than no; a policy for `<type>.*` has the bare type too.
bool may_share_topics(const Policy& a, const Policy& b) {
  const auto first_a = first_segment(a.match);
  const auto first_b = first_segment(b.match);
  return first_a == first_b || is_wildcard(first_a) || is_wildcard(first_b);
}

}  // namespace

std::vector<Policy> builtin_policies() {
  return {
      policy("queue-update", Keep::latest),
      command_progress(),
      policy("task-finished.*", Keep::log, "/taskConfig/id", {24h, 10'000, {}}),
      policy("agent_execution_started.*", Keep::log, "/agent_id"),
      policy("agent_execution_completed.*", Keep::log, "/agent_id"),
      streaming_output(),
      policy("artifact_published.*", Keep::log, "/artifact_type"),
      policy("graph_updated", Keep::latest),
      policy("$sys.producer.*", Keep::latest),
      policy("$sys.>", Keep::none),
      policy(">", Keep::log, {}, {1h, 100'000, std::size_t{256} * 1024 * 1024}),
  };
}

PolicyTable::PolicyTable(std::vector<Policy> own) : policies_(std::move(own)) {
  for (auto& builtin : builtin_policies()) policies_.push_back(std::move(builtin));
  for (auto& policy : policies_) {
    prepare_redaction(policy);
    const bool known = std::find(keys_.begin(), keys_.end(), policy.key) != keys_.end();
    if (!policy.key.empty() && !known) keys_.push_back(policy.key);
  }
  fallback_.keep = Keep::none;
}

void PolicyTable::prepare_redaction(Policy& policy) {
  if (policy.redact.members.empty()) return;
  auto redaction = Redaction::make(policy.redact.members);
  if (!redaction) throw std::invalid_argument(redaction.error().message);
  policy.redaction = std::make_shared<const Redaction>(std::move(*redaction));
  const auto name = std::find(unless_.begin(), unless_.end(), policy.redact.unless);
  const auto bit = static_cast<std::size_t>(name - unless_.begin());
  if (bit == kMaxUnless) throw std::invalid_argument("too many different names that redactions are unless");
  if (name == unless_.end()) unless_.push_back(policy.redact.unless);
  policy.hidden = Hidden{1} << bit;
}

Hidden PolicyTable::hidden_from(const Rights& rights) const {
  Hidden hidden = 0;
  for (std::size_t i = 0; i < unless_.size(); ++i) {
    if (!rights.may_see(unless_[i])) hidden |= Hidden{1} << i;
  }
  return hidden;
}

const Policy& PolicyTable::find(std::string_view topic) const {
  for (const auto& policy : policies_) {
    if (applies(policy, topic)) return policy;
  }
  return fallback_;
}

const Policy* PolicyTable::key_policy(std::string_view type_topic) const {
  for (const auto& policy : policies_) {
    if (!policy.key.empty() && policy.match.literal_prefix() == type_topic) return &policy;
  }
  return nullptr;
}

std::string PolicyTable::claim(const Policy& policy) const {
  std::multiset<std::string> taking;  // their order does not matter
  for (const auto& earlier : policies_) {
    if (&earlier == &policy) break;
    if (may_share_topics(earlier, policy)) taking.insert(earlier.match.text());
  }
  auto text = policy.match.text();
  for (const auto& other : taking) text += " -" + other;
  return text;
}

std::size_t PolicyTable::key_index(const Policy& policy) const {
  const auto at = std::find(keys_.begin(), keys_.end(), policy.key);
  return static_cast<std::size_t>(at - keys_.begin());
}

}  // namespace trestle
