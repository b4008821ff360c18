#include "bridge/core/history.h"

#include <algorithm>
#include <numeric>

namespace trestle {

History::Lane::Lane(const Policy& policy_of_lane) : policy(&policy_of_lane) {
  auto type = Pattern::parse(policy->match.literal_prefix());
  if (type && policy->match.is_type_with_key(type->text())) bare = std::move(*type);
}

bool History::Lane::may_hold(const Pattern& wanted) const {
  return wanted.overlaps(policy->match) || (bare && wanted.overlaps(*bare));
}

History::History(const PolicyTable& policies) : first_policy_(policies.all().data()) {
  for (const auto& policy : policies.all()) lanes_.emplace_back(policy);
}

void History::apply(const EventPtr& event) {
  if (event->policy->keep != Keep::log) return;
  auto& lane = lanes_[static_cast<std::size_t>(event->policy - first_policy_)];
  lane.events.push_back(event);
  lane.bytes += event->payload.size();
  while (over(lane)) drop_oldest(lane);
}

void History::apply(const LostRange& lost) {
  losses_.push_back(lost);
  if (losses_.size() > kMaxLosses) drop_oldest_loss();
}

void History::drop_oldest_loss() {
  losses_gone_ = std::max(losses_gone_, losses_.front().after + 1);
  losses_.pop_front();
  ++first_loss_;
}

bool History::over(const Lane& lane) {
  const auto& retain = lane.policy->retain;
  return (retain.count && lane.events.size() > *retain.count) || (retain.bytes && lane.bytes > *retain.bytes);
}

void History::drop_oldest(Lane& lane) {
  lane.bytes -= lane.events.front()->payload.size();
  lane.trimmed = lane.events.front()->offset;
  lane.events.pop_front();
}

void History::expire(Micros wall) {
  for (auto& lane : lanes_) {
    if (!lane.policy->retain.age) continue;
    const auto oldest = wall - Micros{lane.policy->retain.age->count()} * 1'000'000;
    while (!lane.events.empty() && lane.events.front()->appended < oldest) drop_oldest(lane);
  }
  while (!losses_.empty() && losses_.front().appended < wall - kMaxLossAge) drop_oldest_loss();
}

Offset History::missing_up_to(const std::vector<Pattern>& wanted) const {
  Offset newest = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (missing(i) <= newest) continue;
    const bool held = std::any_of(wanted.begin(), wanted.end(),
                                  [&](const Pattern& pattern) { return lanes_[i].may_hold(pattern); });
    if (held) newest = missing(i);
  }
  return newest;
}

void History::forget_up_to(Offset offset) {
  for (auto& lane : lanes_) {
    if (lane.policy->keep != Keep::log) continue;
    while (!lane.events.empty() && lane.events.front()->offset <= offset) drop_oldest(lane);
    lane.trimmed = std::max(lane.trimmed, offset);
  }
  while (!losses_.empty() && losses_.front().after < offset) drop_oldest_loss();
  losses_gone_ = std::max(losses_gone_, offset);
}

void History::restore_missing(const std::vector<Offset>& up_to) {
  for (std::size_t i = 0; i < up_to.size(); ++i) lanes_[i].missed = up_to[i];
}

std::size_t History::size() const {
  return std::accumulate(lanes_.begin(), lanes_.end(), std::size_t{0},
                         [](std::size_t sum, const Lane& lane) { return sum + lane.events.size(); });
}

std::uint64_t History::loss_from(Offset place) const {
  const auto first =
      std::lower_bound(losses_.begin(), losses_.end(), place,
                       [](const LostRange& lost, Offset wanted) { return lost.after < wanted; });
  return first_loss_ + static_cast<std::uint64_t>(first - losses_.begin());
}

const LostRange* History::loss(std::uint64_t number) const {
  return number < first_loss_ || number >= next_loss() ? nullptr : &losses_[number - first_loss_];
}

History::Walk::Walk(const History& history, Offset after) {
  for (const auto& lane : history.lanes_) {
    const auto next =
        std::upper_bound(lane.events.begin(), lane.events.end(), after,
                         [](Offset offset, const EventPtr& event) { return offset < event->offset; });
    if (next == lane.events.end()) continue;
    lanes_.push_back({&lane.events, static_cast<std::size_t>(next - lane.events.begin())});
  }
  choose();
}

const EventPtr* History::Walk::current() const {
  return lanes_.empty() ? nullptr : &(*lanes_[chosen_].events)[lanes_[chosen_].next];
}

void History::Walk::advance() {
  auto& lane = lanes_[chosen_];
  if (++lane.next == lane.events->size()) lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(chosen_));
  choose();
}

void History::Walk::choose() {
  chosen_ = 0;
  for (std::size_t i = 1; i < lanes_.size(); ++i) {
    if (offset_of(lanes_[i]) < offset_of(lanes_[chosen_])) chosen_ = i;
  }
}

}  // namespace trestle
