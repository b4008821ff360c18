#include "bridge/core/snapshot.h"

#include <algorithm>

namespace trestle {
namespace {

std::string_view last_segment(std::string_view topic) { return topic.substr(topic.rfind('.') + 1); }

// `command-progress.*` and key `7` make `command-progress.7`.
std::string with_last_segment(std::string_view pattern, std::string_view segment) {
  std::string topic(pattern.substr(0, pattern.size() - 1));  // the configuration makes sure of a final `*`
  return topic.append(segment);
}

Micros kept_for(const Policy& policy) {
  if (!policy.retain.age) return Snapshot::kMinEnded;
  return std::max(Snapshot::kMinEnded, Micros{policy.retain.age->count()} * 1'000'000);
}

}  // namespace

Snapshot::Snapshot(const PolicyTable& policies) {
  for (const auto& policy : policies.all()) {
    if (policy.until) ended_by_event_.push_back(&policy);
  }
}

void Snapshot::apply(const EventPtr& event) {
  end_topics(*event);
  if (event->policy->keep == Keep::latest) keep(event);
}

void Snapshot::end_topics(const Event& event) {
  for (const auto* policy : ended_by_event_) {
    if (!policy->until->matches(event.topic)) continue;
    auto topic = with_last_segment(policy->match.text(), last_segment(event.topic));
    forget(topic);
    remember_ending(std::move(topic), event.appended + kept_for(*event.policy));
  }
}

void Snapshot::keep(const EventPtr& event) {
  if (const auto ended = ended_.find(event->topic); ended != ended_.end() && event->appended < ended->second)
    return;
  forget(event->topic);
  events_.push_back(event);
  by_topic_.emplace(event->topic, std::prev(events_.end()));
  if (events_.size() > kMaxTopics) forget(events_.front()->topic);
}

void Snapshot::forget(std::string_view topic) {
  const auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) return;
  const auto place = found->second;
  by_topic_.erase(found);  // first: its key lives in the event
  events_.erase(place);
}

void Snapshot::remember_ending(std::string topic, Micros until) {
  ended_order_.emplace_back(until, topic);
  ended_[std::move(topic)] = until;
  if (ended_order_.size() > kMaxTopics) {
    const auto oldest = ended_.find(ended_order_.front().second);
    if (oldest != ended_.end() && oldest->second == ended_order_.front().first) ended_.erase(oldest);
    ended_order_.pop_front();
  }
}

void Snapshot::expire(Micros wall) {
  while (!events_.empty() && events_.front()->appended + kMaxAge < wall) forget(events_.front()->topic);
  while (!ended_order_.empty() && ended_order_.front().first <= wall) {
    const auto found = ended_.find(ended_order_.front().second);
    if (found != ended_.end() && found->second <= wall) ended_.erase(found);
    ended_order_.pop_front();
  }
}

}  // namespace trestle
