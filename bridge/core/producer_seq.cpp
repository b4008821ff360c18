#include "bridge/core/producer_seq.h"

#include <algorithm>

namespace trestle {

ProducerSeq::ProducerSeq(std::string producer, Seq have, RepairLimits limits, HeldTotal& held, Seq known)
    : producer_(std::move(producer)),
      limits_(limits),
      have_(have),
      known_last_(std::max(have, known)),
      total_(held) {}

Reject ProducerSeq::offer(Seq seq, Event&& event, Now now, Ready& ready) {
  if (seq <= have_ || held_.count(seq) != 0) return Reject::seq_backwards;
  if (seq > std::max(have_, known_last_) + limits_.run_ahead) return Reject::seq_range;
  known_last_ = std::max(known_last_, seq);
  newest_ = std::max(newest_, seq);
  if (seq == have_ + 1) {
    release(std::move(event), now, ready);
    release_held(now, ready);
  } else {
    hold(seq, std::move(event));
    give_up_before_held(now, ready);  // events come in order: what is gone and lies before this one won't
  }
  return Reject::none;
}

Reject ProducerSeq::holds(Seq first, Seq last, Now now, Ready& ready) {
  const auto limit = std::max(have_, known_last_) + limits_.run_ahead;
  if (first > limit || last > limit) return Reject::seq_range;
  if (last > known_last_) {
    known_last_ = last;
    tail_noticed_at_ = now.steady;
  }
  if (first > have_ + 1) no_longer_held(first - 1, now, ready);
  return Reject::none;
}

void ProducerSeq::no_longer_held(Seq to, Now now, Ready& ready) {
  known_last_ = std::max(known_last_, to);
  if (to > gone_to_) {
    gone_to_ = to;
    gone_noticed_at_ = now.steady;
  }
  give_up_before_held(now, ready);
}

void ProducerSeq::give_up_before_held(Now now, Ready& ready) {
  if (gone_to_ > have_ && !held_.empty()) give_up(std::min(gone_to_, held_.rbegin()->first), now, ready);
}

void ProducerSeq::settle(Now now, Ready& ready) {
  if (gone_to_ <= have_ || now.steady - std::max(gone_noticed_at_, progress_at_) < limits_.beat_grace) return;
  give_up(gone_to_, now, ready);
}

void ProducerSeq::give_up(Seq to, Now now, Ready& ready) {
  known_last_ = std::max(known_last_, to);
  while (have_ < to) {
    lose(std::min(to, hole_end()), now, ready);
    release_held(now, ready);
  }
}

void ProducerSeq::lose(Seq to, Now now, Ready& ready) {
  if (to <= have_) return;
  name_lost({have_ + 1, to}, ready);
  have_ = to;
  progress_at_ = now.steady;
}

void ProducerSeq::name_lost(SeqRange range, Ready& ready) {
  lost_.add(range);
  const bool goes_on = !ready.lost.empty() && ready.lost.back().producer == producer_ &&
                       ready.lost.back().to + 1 == range.first &&
                       ready.lost.back().before == ready.events.size();
  if (goes_on) {
    ready.lost.back().to = range.second;
  } else {
    ready.lost.push_back({producer_, range.first, range.second, ready.events.size()});
  }
}

void ProducerSeq::release(Event&& event, Now now, Ready& ready) {
  ++have_;
  progress_at_ = now.steady;
  if (event.topic.empty()) return name_lost({have_, have_}, ready);
  ready.events.push_back(std::move(event));
}

void ProducerSeq::release_held(Now now, Ready& ready) {
  while (!held_.empty() && held_.begin()->first == have_ + 1) {
    auto event = std::move(held_.begin()->second);
    unhold(held_.begin(), event.payload.size());
    release(std::move(event), now, ready);
  }
}

void ProducerSeq::hold(Seq seq, Event&& event) {
  const auto size = event.payload.size();
  while (is_hold_full(size)) {
    ++total_.dropped;
    if (held_.empty() || seq > held_.rbegin()->first) return;  // it is the newest itself
    const auto newest = std::prev(held_.end());
    unhold(newest, newest->second.payload.size());
  }
  held_bytes_ += size;
  total_.cost += size + HeldTotal::kEventCost;
  held_.emplace(seq, std::move(event));
}

// An empty hold takes one event of any size, if the others leave room.
bool ProducerSeq::is_hold_full(std::size_t size) const {
  if (total_.cost + size + HeldTotal::kEventCost > limits_.held_cost) return true;
  return !held_.empty() && (held_.size() >= limits_.hold_events || held_bytes_ + size > limits_.hold_bytes);
}

void ProducerSeq::unhold(std::map<Seq, Event>::iterator event, std::size_t size) {
  held_bytes_ -= size;
  total_.cost -= size + HeldTotal::kEventCost;
  held_.erase(event);
}

// What only a beat spoke of. While events flow it follows behind them, however long the queue is, and asking
// for it would bring everything twice. What a replay brings is no such sign.
bool ProducerSeq::is_tail_on_its_way(Now now) const {
  if (have_ < newest_) return false;  // a later one has come: what is missing did not
  const bool replayed = asked_to_ != 0 && asked_to_ == have_;
  const auto quiet_since = replayed ? tail_noticed_at_ : std::max(tail_noticed_at_, progress_at_);
  return now.steady - quiet_since < limits_.beat_grace;
}

std::optional<SeqRange> ProducerSeq::replay_due(Now now) {
  const auto from = have_ + 1;
  const auto end = hole_end();
  if (from > end || gone_to_ > have_) return std::nullopt;
  if (is_tail_on_its_way(now)) return std::nullopt;
  const bool being_answered = asked_to_ >= from && now.steady - progress_at_ < limits_.retry;
  if (being_answered) return std::nullopt;
  asked_to_ = std::min(end, from + limits_.chunk - 1);
  progress_at_ = now.steady;
  return SeqRange{from, asked_to_};
}

}  // namespace trestle
