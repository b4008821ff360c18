#include "clients/cpp/src/replay_buffer.h"

#include <algorithm>

namespace trestle::client {
namespace {

// Beyond this many separate ranges the newest ones grow together: a report stays readable and bounded.
constexpr std::size_t kMaxLost = 4096;
// Waiting longer than this overflows the clock's arithmetic.
constexpr std::chrono::hours kForever{24 * 365};

Micros now_micros() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> out;
  for (const Range& range : ranges) {
    if (!out.empty() && range.first <= out.back().second + 1) {
      out.back().second = std::max(out.back().second, range.second);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

}  // namespace

ReplayBuffer::Added ReplayBuffer::add(std::string topic, std::string payload) {
  const std::size_t bytes = topic.size() + payload.size();
  if (bytes > limits_.bytes) {
    throw std::invalid_argument("an event of " + std::to_string(bytes) +
                                " bytes does not fit into a replay buffer of " +
                                std::to_string(limits_.bytes) + "; raise buffer_bytes");
  }
  auto event = std::make_shared<OutEvent>();
  event->topic = std::move(topic);
  event->payload = std::move(payload);

  std::unique_lock lock(mutex_);
  throw_trouble();
  if (!has_room(bytes)) make_room(lock, bytes);
  event->seq = first_ + events_.size();
  event->time = now_micros();  // under the lock, so that time never falls while seq rises
  bytes_ += bytes;
  const Added added{event->seq, std::exchange(asleep_, false)};
  events_.push_back(std::move(event));
  return added;
}

void ReplayBuffer::make_room(std::unique_lock<std::mutex>& lock, std::size_t bytes) {
  switch (limits_.when_full) {
    case WhenFull::fail:
      throw BufferFull("the replay buffer is full (" + std::to_string(events_.size()) + " events, " +
                       std::to_string(bytes_) + " bytes) and the bridge has acked none of them");
    case WhenFull::drop_oldest:
      while (!has_room(bytes)) forget_first();
      return;
    case WhenFull::block: changed_.wait(lock, [&] { return has_room(bytes) || troubled(); }); throw_trouble();
  }
}

bool ReplayBuffer::has_room(std::size_t bytes) const {
  return events_.size() < limits_.events && bytes_ + bytes <= limits_.bytes;
}

void ReplayBuffer::forget_first() {
  bytes_ -= events_.front()->size();
  events_.pop_front();
  ++first_;
}

bool ReplayBuffer::acked(Seq target) const {
  bool any = false;
  for (const BridgeReport& bridge : bridges_) {
    if (!bridge.required) continue;
    any = true;
    if (bridge.acked < target) return false;
  }
  return any || target == 0;
}

bool ReplayBuffer::troubled() const {
  return !failure_.empty() || std::any_of(bridges_.begin(), bridges_.end(),
                                          [](const BridgeReport& bridge) { return !bridge.refusal.empty(); });
}

void ReplayBuffer::throw_trouble() const {
  if (!failure_.empty()) throw std::runtime_error(failure_);
  for (const BridgeReport& bridge : bridges_) {
    if (!bridge.refusal.empty()) throw Refused(bridge.refusal);
  }
}

Flushed ReplayBuffer::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const Seq target = first_ + events_.size() - 1;
  changed_.wait_for(lock, std::min<std::chrono::milliseconds>(timeout, kForever),
                    [&] { return troubled() || acked(target); });
  throw_trouble();
  Flushed flushed;
  flushed.complete = acked(target);
  flushed.lost = merged(std::exchange(lost_, {}));
  if (!flushed.complete) flushed.why = missing(target);
  return flushed;
}

std::string ReplayBuffer::missing(Seq target) const {
  std::string why;
  const auto add = [&](const std::string& text) { why += (why.empty() ? "" : "; ") + text; };
  for (const BridgeReport& bridge : bridges_) {
    if (bridge.required && bridge.acked >= target) continue;
    if (!bridge.answering) {
      add("no answer from the bridge at " + bridge.name);
    } else {
      add("the bridge at " + bridge.name + " has acked " + std::to_string(bridge.acked) + " of " +
          std::to_string(target));
    }
  }
  return why.empty() ? "no bridge has been reached yet" : why;
}

bool ReplayBuffer::answering() const {
  std::lock_guard lock(mutex_);
  return std::any_of(bridges_.begin(), bridges_.end(),
                     [](const BridgeReport& bridge) { return bridge.answering; });
}

Slice ReplayBuffer::slice(Seq from, Seq to, std::size_t max_events, std::size_t max_bytes) const {
  std::lock_guard lock(mutex_);
  Slice slice{first_, first_ + events_.size() - 1, {}};
  std::size_t bytes = 0;
  for (Seq seq = std::max(from, slice.first); seq <= std::min(to, slice.last); ++seq) {
    const OutEventPtr& event = events_[static_cast<std::size_t>(seq - first_)];
    bytes += event->size();
    if (!slice.events.empty() && (slice.events.size() >= max_events || bytes > max_bytes)) break;
    slice.events.push_back(event);
  }
  return slice;
}

bool ReplayBuffer::sleep(Seq next) {
  std::lock_guard lock(mutex_);
  if (next == 0) return true;
  asleep_ = next >= first_ + events_.size();
  return asleep_;
}

void ReplayBuffer::awake() {
  std::lock_guard lock(mutex_);
  asleep_ = false;
}

void ReplayBuffer::update(std::vector<BridgeReport> reports, const std::vector<Range>& lost) {
  std::vector<OutEventPtr> forgotten;  // destroyed after the lock is gone
  {
    std::lock_guard lock(mutex_);
    bridges_ = std::move(reports);
    for (const Range& range : lost) {
      if (lost_.size() < kMaxLost) {
        lost_.push_back(range);
      } else {
        lost_.back() = {std::min(lost_.back().first, range.first),
                        std::max(lost_.back().second, range.second)};
      }
    }
    while (!events_.empty() && acked(first_)) {
      forgotten.push_back(events_.front());
      forget_first();
    }
  }
  changed_.notify_all();
}

void ReplayBuffer::fail(std::string why) {
  {
    std::lock_guard lock(mutex_);
    failure_ = std::move(why);
  }
  changed_.notify_all();
}

}  // namespace trestle::client
