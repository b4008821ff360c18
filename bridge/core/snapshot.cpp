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
  if (policy.keep == Keep::none) return Snapshot::kMinEnded;
  if (!policy.retain.age) return Snapshot::kMaxAge;
  return std::max(Snapshot::kMinEnded, Micros{policy.retain.age->count()} * 1'000'000);
}

}  // namespace

Snapshot::Snapshot(const PolicyTable& policies) {
  for (const auto& policy : policies.all()) {
    if (policy.until) ended_by_event_.push_back(&policy);
    if (policy.keep == Keep::latest && policy.retain.is_limited()) limited_.push_back({&policy, {}});
  }
}

Snapshot::Change Snapshot::apply(const EventPtr& event) {
  end_topics(*event);
  return event->policy->keep == Keep::latest ? keep(event) : Change::none;
}

void Snapshot::end_topics(const Event& event) {
  for (const auto* policy : ended_by_event_) {
    if (!policy->until->matches(event.topic)) continue;
    const auto topic = with_last_segment(policy->match.text(), last_segment(event.topic));
    forget(topic);
    remember_ending(topic, event.appended + kept_for(*event.policy), event.offset);
  }
}

Snapshot::Change Snapshot::keep(const EventPtr& event) {
  if (leaves_out(*event)) {
    forget(event->topic);  // what it had is not the newest any more
    return Change::none;
  }
  auto change = Change::added;
  if (const auto known = by_topic_.find(event->topic); known != by_topic_.end()) {
    change = Change::replaced;
    take_out(known->second);
  }
  const auto* lane = put(event);
  if (events_.size() > kMaxTopics) forget(events_.begin()->second->topic);
  if (lane != nullptr) trim(*lane);
  return change;
}

Snapshot::Lane* Snapshot::lane_of(const Event& event) {
  const auto found = std::find_if(limited_.begin(), limited_.end(),
                                  [&](const Lane& lane) { return lane.policy == event.policy; });
  return found == limited_.end() ? nullptr : &*found;
}

Snapshot::Lane* Snapshot::put(const EventPtr& event) {
  events_.emplace(event->offset, event);
  by_topic_.emplace(event->topic, event->offset);
  auto* lane = lane_of(*event);
  if (lane == nullptr) return nullptr;
  lane->offsets.insert(event->offset);
  lane->bytes += event->payload.size();
  return lane;
}

EventPtr Snapshot::take_out(Offset offset) {
  const auto found = events_.find(offset);
  auto event = found->second;
  if (auto* lane = lane_of(*event)) {
    lane->offsets.erase(offset);
    lane->bytes -= event->payload.size();
  }
  by_topic_.erase(event->topic);
  events_.erase(found);
  return event;
}

void Snapshot::trim(const Lane& lane) {
  const auto& retain = lane.policy->retain;
  while ((retain.count && lane.offsets.size() > *retain.count) ||
         (retain.bytes && lane.bytes > *retain.bytes))
    forget_oldest(lane);
}

bool Snapshot::leaves_out(const Event& event) const {
  if (event.policy->keep != Keep::latest) return false;
  const auto& most = event.policy->retain.bytes;
  return (most && event.payload.size() > *most) || is_late(event);
}

bool Snapshot::is_late(const Event& event) const {
  // Without `until`: the configuration has changed since the topic was ended.
  if (!event.policy->until) return false;
  const auto found = ended_.find(event.topic);
  return found != ended_.end() && event.appended < found->second.until && event.offset > found->second.by;
}

void Snapshot::forget(const std::string& topic) {
  const auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) return;
  const auto event = take_out(found->second);  // `topic` may have been its
  if (gone_) gone_(event->topic);
}

// What is known comes again when the past is loaded, and may come out of order.
void Snapshot::remember_ending(const std::string& topic, Micros until, Offset by) {
  const auto [known, added] = ended_.try_emplace(topic, Ended{until, by});
  if (!added && known->second.until >= until) return;
  known->second.until = until;
  ended_order_.emplace_back(until, topic);
  if (ending_changed_) ending_changed_(topic);
  if (ended_order_.size() > kMaxTopics) forget_oldest_ending();
}

void Snapshot::forget_oldest_ending() {
  const auto [until, topic] = std::move(ended_order_.front());
  ended_order_.pop_front();
  const auto found = ended_.find(topic);
  if (found == ended_.end() || found->second.until != until) return;  // ended again since
  ended_.erase(found);
  if (ending_changed_) ending_changed_(topic);
}

std::optional<Micros> Snapshot::ended_until(const std::string& topic) const {
  const auto found = ended_.find(topic);
  return found == ended_.end() ? std::nullopt : std::optional(found->second.until);
}

std::vector<Ending> Snapshot::endings() const {
  std::vector<Ending> all;
  for (const auto& [until, topic] : ended_order_) {
    if (ended_until(topic) == until) all.push_back({topic, until});
  }
  return all;
}

void Snapshot::restore(const std::vector<Ending>& endings) {
  for (const auto& ending : endings) {
    ended_.emplace(ending.topic, Ended{ending.until, 0});
    ended_order_.emplace_back(ending.until, ending.topic);
  }
}

void Snapshot::expire(Micros wall) {
  while (!events_.empty() && events_.begin()->second->appended + kMaxAge < wall) {
    forget(events_.begin()->second->topic);
  }
  for (const auto& lane : limited_) {
    if (!lane.policy->retain.age) continue;
    const auto oldest = wall - Micros{lane.policy->retain.age->count()} * 1'000'000;
    while (!lane.offsets.empty() && events_.at(*lane.offsets.begin())->appended < oldest) forget_oldest(lane);
  }
  while (!ended_order_.empty() && ended_order_.front().first <= wall) forget_oldest_ending();
}

}  // namespace trestle
