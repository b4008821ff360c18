#include "bridge/config/places.h"
#include "bridge/config/validate.h"

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

bool is_limited(const Retain& retain) { return retain.age || retain.count || retain.bytes; }

MaybeComplaint check_keeping(const Policy& policy, const std::string& path) {
  if (policy.keep == Keep::none && is_limited(policy.retain)) {
    return Complaint{path + ".retain", "keep: none keeps nothing: leave retain out, or keep log or latest"};
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

}  // namespace

std::optional<Complaint> find_policy_complaint(const std::vector<Policy>& topics) {
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const auto path = path_item("topics", i);
    if (topics[i].match.text().empty())
      return Complaint{path, "needs match, a topic pattern such as \"task.*\""};
    if (auto complaint = check_keeping(topics[i], path)) return complaint;
    if (auto complaint = check_merging(topics[i], path)) return complaint;
  }
  if (PolicyTable(topics).keys().size() > kMostKeys) {
    return Complaint{"topics",
                     "have over 64 different keys with the built-in ones: let more of them share one"};
  }
  return std::nullopt;
}

}  // namespace trestle
