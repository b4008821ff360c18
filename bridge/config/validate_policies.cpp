#include <algorithm>
#include <set>

#include "bridge/config/places.h"
#include "bridge/config/text.h"
#include "bridge/config/validate.h"
#include "bridge/core/snapshot.h"
#include "proto/json_pointer.h"

namespace trestle {
namespace {

using MaybeComplaint = std::optional<Complaint>;

// What the event checker looks for at most.
constexpr std::size_t kMostKeys = 64;

/// True if the one wildcard is a `*` and stands last, so that the last segment is the key.
bool ends_in_key(const Pattern& pattern) {
  const auto& text = pattern.text();
  const auto prefix = pattern.literal_prefix();
  return text == (prefix.empty() ? "*" : prefix + ".*");
}

// The snapshot has bounds of its own: a promise beyond them could not be kept.
MaybeComplaint check_snapshot(const Retain& retain, const std::string& path) {
  if (retain.age && Micros{retain.age->count()} * 1'000'000 > Snapshot::kMaxAge) {
    return Complaint{path + ".age",
                     "keep: latest keeps nothing for longer than 24h: say 24h or less, or keep: log"};
  }
  if (retain.count && *retain.count > Snapshot::kMaxTopics) {
    return Complaint{path + ".count",
                     "keep: latest keeps at most 100000 topics, of all policies: say less, or keep: log"};
  }
  return std::nullopt;
}

MaybeComplaint check_keeping(const Policy& policy, const std::string& path) {
  if (policy.keep == Keep::none && policy.retain.is_limited()) {
    return Complaint{path + ".retain", "keep: none keeps nothing: leave retain out, or keep log or latest"};
  }
  if (policy.keep == Keep::latest) {
    if (auto complaint = check_snapshot(policy.retain, path + ".retain")) return complaint;
  }
  if (!policy.until) return std::nullopt;
  if (policy.keep != Keep::latest) {
    return Complaint{path + ".until", "ends what keep: latest keeps: set keep: latest, or leave until out"};
  }
  if (!ends_in_key(policy.match)) {
    return Complaint{path + ".match", "with until must end in .* as its only wildcard, such as \"task.*\""};
  }
  if (!ends_in_key(*policy.until)) {
    return Complaint{path + ".until", "must end in .* as its only wildcard, such as \"task-finished.*\""};
  }
  return std::nullopt;
}

MaybeComplaint check_merging(const Policy& policy, const std::string& path) {
  if (policy.under_pressure == UnderPressure::merge && policy.merge.empty()) {
    return Complaint{path + ".under_pressure",
                     "merge needs the string to join: add merge, such as merge: /content"};
  }
  if (policy.under_pressure != UnderPressure::merge && !policy.merge.empty()) {
    return Complaint{path + ".merge", "only works with under_pressure: merge: add it, or leave merge out"};
  }
  if (policy.under_pressure != UnderPressure::merge && !policy.merge_by.empty()) {
    return Complaint{path + ".merge_by",
                     "only works with under_pressure: merge: add it, or leave merge_by out"};
  }
  return std::nullopt;
}

/// True if removing what `redacted` points to takes the member at `pointer` along.
bool takes_along(const std::string& redacted, const std::string& pointer) {
  const auto through = split_pointer(redacted);
  const auto to = split_pointer(pointer);
  if (!through || !to || through->size() > to->size()) return false;
  return std::equal(through->begin(), through->end(), to->begin(),
                    [](const auto& a, const auto& b) { return a.name == "*" || a.name == b.name; });
}

/// True if some topic that `keyed` gives events of its type gets them the policy numbered `index`.
bool takes_topics_of(const Policy& keyed, const PolicyTable& table, std::size_t index) {
  const auto type = keyed.match.literal_prefix();
  const auto topics = Pattern::parse(type + ".*");
  if (!topics || table.key_policy(type) != &keyed || !table.all()[index].match.overlaps(*topics))
    return false;
  const auto first = table.all().begin();
  return std::none_of(first, first + static_cast<std::ptrdiff_t>(index),
                      [&](const Policy& earlier) { return earlier.match.covers(*topics); });
}

std::optional<std::string> find_fault(const std::string& member, const PolicyTable& table,
                                      std::size_t index) {
  if (takes_along(member, "/type"))
    return "takes the type along, which no event can be without: name other members";
  for (const auto& keyed : table.all()) {
    if (keyed.key.empty() || !takes_along(member, keyed.key) || !takes_topics_of(keyed, table, index))
      continue;
    return "takes along the key " + keyed.key + " of " + keyed.match.text() +
           ", which the topic tells all the same: name other members, or make another member the key";
  }
  for (const auto& by : table.all()[index].merge_by) {
    if (takes_along(member, by)) return "takes along " + by + ", which merge_by compares: name other members";
  }
  return std::nullopt;
}

MaybeComplaint check_redacting(const PolicyTable& table, std::size_t index, const std::string& path) {
  const auto& redact = table.all()[index].redact;
  if (redact.members.empty() && !redact.unless.empty()) {
    return Complaint{path + ".redact",
                     "needs members, the JSON pointers to remove, such as members: [/content]"};
  }
  for (std::size_t i = 0; i < redact.members.size(); ++i) {
    const auto fault = find_fault(redact.members[i], table, index);
    if (fault)
      return Complaint{path_item(path + ".redact.members", i), in_quotes(redact.members[i]) + " " + *fault};
  }
  return std::nullopt;
}

bool has_too_many_unless(const std::vector<Policy>& topics) {
  std::set<std::string> names;
  for (const auto& policy : topics) {
    if (!policy.redact.members.empty()) names.insert(policy.redact.unless);
  }
  return names.size() > PolicyTable::kMaxUnless;
}

}  // namespace

std::optional<Complaint> find_policy_complaint(const std::vector<Policy>& topics) {
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const auto path = path_item("topics", i);
    if (topics[i].match.text().empty())
      return Complaint{path, "needs match, a topic pattern such as \"task.*\""};
    if (auto complaint = check_keeping(topics[i], path)) return complaint;
    if (auto complaint = check_merging(topics[i], path)) return complaint;
  }
  if (has_too_many_unless(topics)) {
    return Complaint{"topics", "redact unless over 64 different scopes: let more of them share one"};
  }
  const PolicyTable table(topics);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (auto complaint = check_redacting(table, i, path_item("topics", i))) return complaint;
  }
  if (table.keys().size() > kMostKeys) {
    return Complaint{"topics",
                     "have over 64 different keys with the built-in ones: let more of them share one"};
  }
  return std::nullopt;
}

}  // namespace trestle
