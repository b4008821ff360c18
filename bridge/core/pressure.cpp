#include "bridge/core/pressure.h"

#include <algorithm>
#include <utility>

namespace trestle {
namespace {

std::vector<std::string> pointers_of(const Policy& policy) {
  std::vector<std::string> pointers{policy.merge};
  pointers.insert(pointers.end(), policy.merge_by.begin(), policy.merge_by.end());
  return pointers;
}

bool is_nothing(const PressureCounters& counters) {
  return counters.replaced + counters.merged + counters.dropped + counters.reread == 0;
}

// `event` has just been checked.
Pressure::MergeablePtr find_text(const EventChecker& checker, const EventPtr& event) {
  const auto& text = checker.at(0);
  if (text.state != Found::State::value || text.raw.front() != '"') return nullptr;
  auto found = std::make_shared<Pressure::Mergeable>();
  found->event = event;
  found->from = static_cast<std::size_t>(text.raw.data() - event->payload.data()) + 1;
  found->to = found->from + text.raw.size() - 2;
  for (std::size_t i = 0; i < event->policy->merge_by.size(); ++i) {
    const auto& by = checker.at(i + 1);
    if (by.state == Found::State::duplicate) return nullptr;
    found->merge_by.push_back(by.raw);
  }
  return found;
}

}  // namespace

void Dropped::add(const Event& event) { add(Dropped{event.offset, event.offset, 1, event.topic}); }

void Dropped::add(const Dropped& others) {
  if (count == 0) {
    *this = others;
    return;
  }
  from = std::min(from, others.from);
  to = std::max(to, others.to);
  count += others.count;
  if (topic != others.topic) topic.clear();
}

Pressure::Pressure(const PolicyTable& policies, EventLimits limits) : first_policy_(policies.all().data()) {
  for (const auto& policy : policies.all()) {
    Rule rule{policy.match.text(), {}, std::nullopt};
    if (policy.under_pressure == UnderPressure::merge) {
      auto checker = EventChecker::make(limits, pointers_of(policy));
      if (checker) rule.checker.emplace(std::move(*checker));
    }
    rules_.push_back(std::move(rule));
  }
  rules_.push_back({"", {}, std::nullopt});
}

Pressure::Rule& Pressure::rule_of(const Event& event) {
  for (std::size_t i = 0; i + 1 < rules_.size(); ++i) {
    if (event.policy == first_policy_ + i) return rules_[i];
  }
  return rules_.back();
}

Pressure::MergeablePtr Pressure::mergeable(const EventPtr& event) {
  auto& checker = rule_of(*event).checker;
  if (!checker) return nullptr;
  if (const auto known = known_.find(event.get()); known != known_.end()) return known->second.mergeable;
  if (known_.size() >= kMaxKnown || known_bytes_ >= kMaxKnownBytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  auto found = checker->check(event->payload) == Reject::none ? find_text(*checker, event) : nullptr;
  known_.emplace(event.get(), Known{event, found});
  known_bytes_ += event->payload.size();
  return found;
}

PressureCounters& Pressure::counters(const Event& event) { return rule_of(event).counters; }

std::vector<Pressure::Line> Pressure::report() const {
  std::vector<Line> lines;
  for (const auto& rule : rules_) {
    if (!is_nothing(rule.counters)) lines.push_back({rule.match, rule.counters});
  }
  return lines;
}

}  // namespace trestle
