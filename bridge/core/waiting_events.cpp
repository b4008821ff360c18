#include "bridge/core/waiting_events.h"

namespace trestle {

bool WaitingEvents::add(std::string_view id, const Stamp& stamp, Event&& event, Now now) {
  const auto size = event.payload.size();
  if (events_ >= max_events_ || bytes_ + size > max_bytes_) return false;
  ++events_;
  bytes_ += size;
  waiting_[{std::string(id), stamp.epoch}].push_back({stamp, std::move(event), now.steady});
  return true;
}

std::deque<WaitingEvents::Waiting> WaitingEvents::take(const std::string& id, std::uint64_t epoch) {
  auto taken = waiting_.extract({id, epoch});
  if (taken.empty()) return {};
  for (const auto& waiting : taken.mapped()) removed(waiting);
  return std::move(taken.mapped());
}

void WaitingEvents::expire(Now now, std::chrono::milliseconds limit,
                           const std::function<void(std::string_view, const Stamp&)>& dropped) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    auto& [key, queue] = *it;
    while (!queue.empty() && now.steady - queue.front().since >= limit) {
      dropped(key.first, queue.front().stamp);
      removed(queue.front());
      queue.pop_front();
    }
    it = queue.empty() ? waiting_.erase(it) : std::next(it);
  }
}

void WaitingEvents::removed(const Waiting& waiting) {
  --events_;
  bytes_ -= waiting.event.payload.size();
}

}  // namespace trestle
