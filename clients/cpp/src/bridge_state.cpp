#include "clients/cpp/src/bridge_state.h"

#include <algorithm>

namespace trestle::client {

BridgeState::BridgeState(std::string name, Timing timing, TimePoint now)
    : name_(std::move(name)), timing_(timing), heard_(now) {}

BridgeState::Effect BridgeState::on(const FromBridge& message, Seq last, TimePoint now) {
  heard_ = now;
  Effect effect;
  switch (message.kind) {
    case FromBridge::Kind::welcome: welcome(message, last, effect); break;
    case FromBridge::Kind::ack: ack(message, last, effect); break;
    case FromBridge::Kind::replay: ask({message.from, message.to}, last); break;
    case FromBridge::Kind::refused: refuse(message.reason, now); break;
    case FromBridge::Kind::command: break;  // answered by the link
  }
  return effect;
}

void BridgeState::welcome(const FromBridge& message, Seq last, Effect& effect) {
  // Not the maximum: a bridge that came back with less memory really has less, and needs what we still hold.
  acked_ = std::min(message.seq, last);
  if (!welcomed_) effect.joined = acked_;
  welcomed_ = true;
  required_ = true;
  refused_.clear();
}

void BridgeState::ack(const FromBridge& message, Seq last, Effect& effect) {
  for (const auto& [from, to] : message.lost) {
    // A range may be said again. A bridge names what is lost no later than it acks it, so the rest is known.
    const Seq news = std::max(from, acked_ + 1);
    if (from >= 1 && news <= to && to <= last) effect.lost.emplace_back(news, to);
  }
  acked_ = std::max(acked_, std::min(message.seq, last));
  while (!replays_.empty() && replays_.front().first <= acked_) {
    if (replays_.front().second > acked_) {
      replays_.front().first = acked_ + 1;
      break;
    }
    replays_.pop_front();
  }
}

void BridgeState::ask(Range range, Seq last) {
  range.first = std::max<Seq>(range.first, 1);
  range.second = std::min(range.second, last);
  if (range.first > range.second || replays_.size() >= kMaxReplays) return;
  const bool pending = std::any_of(replays_.begin(), replays_.end(), [&](const Range& other) {
    return other.first <= range.first && range.second <= other.second;
  });
  if (!pending) replays_.push_back(range);
}

void BridgeState::answered(Seq seq) {
  Range& range = replays_.front();
  range.first = seq + 1;
  if (range.first > range.second) replays_.pop_front();
}

void BridgeState::refuse(const std::string& reason, TimePoint now) {
  if (refused_.empty()) refused_since_ = now;
  refused_ = reason.empty() ? "no reason given" : reason;
  welcomed_ = false;
  replays_.clear();
}

void BridgeState::disconnected() {
  welcomed_ = false;
  replays_.clear();
}

bool BridgeState::should_greet(TimePoint now) const {
  return !welcomed_ || now - heard_ > timing_.silence / 3;
}

std::string BridgeState::refusal(TimePoint now) const {
  if (refused_.empty()) return "";
  const bool in_use = refused_ == "in_use";
  if (in_use && now - refused_since_ < timing_.takeover) return "";
  return "the bridge at " + name_ + " refuses this producer: " + refused_ +
         (in_use ? "; another live producer has the same id, choose a different one" : "") +
         (refused_ == "forbidden" ? "; its key does not allow this id" : "");
}

BridgeReport BridgeState::report(TimePoint now) {
  if (now - heard_ > timing_.silence) required_ = false;
  return {name_, required_, welcomed_ && now - heard_ <= timing_.silence, acked_, refusal(now)};
}

}  // namespace trestle::client
