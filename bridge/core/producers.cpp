#include "bridge/core/producers.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr std::size_t kOldEpochs = 8;
// What a hello or a beat counts for is decided by the producer alone; a range this long would be a lie.
constexpr bool is_sane(const FromProducer& message, Seq run_ahead) {
  return message.last < message.first || message.last - message.first <= run_ahead;
}

template <class OldEpochs>
auto find_epoch(OldEpochs& epochs, std::uint64_t epoch) {
  return std::find_if(epochs.begin(), epochs.end(), [&](const auto& old) { return old.epoch == epoch; });
}

}  // namespace

std::string_view name_of(Presence presence) {
  switch (presence) {
    case Presence::online: return "online";
    case Presence::lost: return "lost";
    case Presence::gone: return "gone";
  }
  return "";
}

Producers::Producers(ProducerLimits limits, Rejections& rejections)
    : limits_(limits), rejections_(rejections) {}

void Producers::offer(std::string_view id, const Stamp& stamp, Event&& event, Now now, Ready& ready) {
  const auto found = producers_.find(id);
  if (found == producers_.end()) return wait_for_hello(id, stamp, std::move(event), now);
  auto& producer = found->second;
  if (producer.epoch == stamp.epoch) return take(producer, stamp.seq, std::move(event), now, ready);
  if (find_epoch(producer.old_epochs, stamp.epoch) != producer.old_epochs.end()) {
    return reject_sequenced(Reject::old_epoch, id, stamp);
  }
  wait_for_hello(id, stamp, std::move(event), now);
}

void Producers::take(Producer& producer, Seq seq, Event&& event, Now now, Ready& ready) {
  producer.seen = now.steady;
  if (producer.presence == Presence::lost) set_presence(producer, Presence::online, now);
  const ReadySize before(ready);
  const auto why = producer.seq.offer(seq, std::move(event), now, ready);
  if (why != Reject::none) return reject_sequenced(why, producer.id, {producer.epoch, seq, 0});
  count_new(producer, ready, before);
  touch(producer);
}

void Producers::reject_sequenced(Reject reason, std::string_view id, const Stamp& stamp) {
  rejections_.add(reason, std::string(id) + " epoch " + std::to_string(stamp.epoch) + " seq " +
                              std::to_string(stamp.seq));
}

void Producers::wait_for_hello(std::string_view id, const Stamp& stamp, Event&& event, Now now) {
  const auto size = event.payload.size();
  if (waiting_.size() >= limits_.waiting_events || waiting_bytes_ + size > limits_.waiting_bytes) {
    return reject_sequenced(Reject::unknown_producer, id, stamp);
  }
  waiting_bytes_ += size;
  waiting_.push_back({std::string(id), stamp, std::move(event), now.steady});
}

void Producers::release_waiting(Producer& producer, Now now, Ready& ready) {
  std::deque<Waiting> rest;
  for (auto& waiting : waiting_) {
    if (waiting.id != producer.id || waiting.stamp.epoch != producer.epoch) {
      rest.push_back(std::move(waiting));
      continue;
    }
    waiting_bytes_ -= waiting.event.payload.size();
    take(producer, waiting.stamp.seq, std::move(waiting.event), now, ready);
  }
  waiting_ = std::move(rest);
}

void Producers::control(std::string_view peer, const FromProducer& message, Now now, Ready& ready) {
  const auto found = producers_.find(message.producer);
  const bool known = found != producers_.end() && found->second.epoch == message.epoch;
  if (known) return from_known(found->second, peer, message, now, ready);
  using Kind = FromProducer::Kind;
  if (message.kind == Kind::hello) return hello(peer, message, now, ready);
  if (message.kind == Kind::beat) {
    auto as_hello = message;  // a beat does not say what was acked; what is no longer held is taken for acked
    as_hello.acked = message.first > 0 ? message.first - 1 : 0;
    return hello(peer, as_hello, now, ready);
  }
}

void Producers::hello(std::string_view peer, const FromProducer& message, Now now, Ready& ready) {
  if (!is_sane(message, limits_.repair.run_ahead)) {
    return reject_sequenced(Reject::seq_range, message.producer, {message.epoch, message.last, 0});
  }
  const auto found = producers_.find(message.producer);
  if (found != producers_.end() && found->second.presence == Presence::online)
    return refuse(peer, message, "in_use");
  auto* producer = start(message, now, ready);
  if (producer == nullptr) return refuse(peer, message, "too_many_producers");
  producer->peer = peer;
  welcome(*producer);
  set_presence(*producer, Presence::online, now);
  release_waiting(*producer, now, ready);
  touch(*producer);
}

Producers::Producer* Producers::start(const FromProducer& message, Now now, Ready& ready) {
  const auto first = std::max<Seq>(message.first, 1);
  auto have = std::min(first, message.acked + 1) - 1;
  std::vector<OldEpoch> old_epochs;
  const auto former = producers_.find(message.producer);
  if (former != producers_.end()) {
    former->second.seq.give_up_all(now, ready);  // its open hole is closed as a gap
    old_epochs = std::move(former->second.old_epochs);
    if (const auto again = find_epoch(old_epochs, message.epoch); again != old_epochs.end()) {
      have = std::max(have, again->have);
      old_epochs.erase(again);
    }
    old_epochs.push_back({former->second.epoch, former->second.seq.have()});
    if (old_epochs.size() > kOldEpochs) old_epochs.erase(old_epochs.begin());
    touched_.erase(std::remove(touched_.begin(), touched_.end(), &former->second), touched_.end());
    producers_.erase(former);
  } else if (producers_.size() >= limits_.producers && !make_room(now, ready)) {
    return nullptr;
  }
  Producer fresh{message.producer, message.epoch, ProducerSeq(message.producer, have, limits_.repair), {}};
  fresh.presence = Presence::gone;  // until set_presence() says it
  fresh.seen = now.steady;
  fresh.acked = have;
  fresh.old_epochs = std::move(old_epochs);
  auto& producer = producers_.emplace(message.producer, std::move(fresh)).first->second;
  const ReadySize before(ready);
  producer.seq.give_up(first - 1, now, ready);
  (void)producer.seq.holds(first, message.last, now, ready);  // is_sane() has checked the range
  count_new(producer, ready, before);
  return &producer;
}

void Producers::from_known(Producer& producer, std::string_view peer, const FromProducer& message, Now now,
                           Ready& ready) {
  using Kind = FromProducer::Kind;
  producer.seen = now.steady;
  const bool moved = producer.peer != peer;
  producer.peer = peer;
  const ReadySize before(ready);
  auto why = Reject::none;
  switch (message.kind) {
    case Kind::hello:
    case Kind::beat: why = producer.seq.holds(message.first, message.last, now, ready); break;
    case Kind::gone:
      if (message.from <= producer.seq.have() + 1) producer.seq.no_longer_held_known(message.to, now, ready);
      break;
    case Kind::bye: why = producer.seq.holds(0, message.last, now, ready); break;
    case Kind::result: break;  // commands come with the command scope
  }
  if (why != Reject::none) reject_sequenced(why, producer.id, {producer.epoch, message.last, 0});
  count_new(producer, ready, before);
  // It still holds what was acked: an ack did not reach it, so say it again.
  const bool missed_ack = message.kind == Kind::beat && message.first > 0 && message.first <= producer.acked;
  if (missed_ack) producer.acked = message.first - 1;
  if (moved || message.kind == Kind::hello) welcome(producer);
  set_presence(producer, message.kind == Kind::bye ? Presence::gone : Presence::online, now);
  touch(producer);
}

void Producers::refuse(std::string_view peer, const FromProducer& message, std::string reason) {
  FromBridge answer;
  answer.kind = FromBridge::Kind::refused;
  answer.producer = message.producer;
  answer.epoch = message.epoch;
  answer.reason = std::move(reason);
  messages_.push_back({std::string(peer), std::move(answer)});
}

void Producers::welcome(const Producer& producer) {
  FromBridge answer;
  answer.kind = FromBridge::Kind::welcome;
  answer.producer = producer.id;
  answer.epoch = producer.epoch;
  answer.seq = producer.seq.have();
  messages_.push_back({producer.peer, std::move(answer)});
}

void Producers::set_presence(Producer& producer, Presence presence, Now now) {
  if (producer.presence == presence && producer.told) return;
  producer.presence = presence;
  producer.told = true;
  changes_.push_back({producer.id, presence, producer.epoch, producer.seq.have(), now.wall});
}

// Makes room by forgetting the producer that has been away for the longest.
bool Producers::make_room(Now now, Ready& ready) {
  auto oldest = producers_.end();
  for (auto it = producers_.begin(); it != producers_.end(); ++it) {
    const bool away = it->second.presence != Presence::online && !it->second.touched;
    if (away && (oldest == producers_.end() || it->second.seen < oldest->second.seen)) oldest = it;
  }
  if (oldest == producers_.end()) return false;
  oldest->second.seq.give_up_all(now, ready);  // an open hole becomes a gap, never silence
  producers_.erase(oldest);
  return true;
}

void Producers::tick(Now now, Ready& ready) {
  for (auto& [id, producer] : producers_) {
    const auto silent = now.steady - producer.seen;
    const bool may_be_lost = producer.presence == Presence::online || !producer.told;
    if (may_be_lost && silent >= limits_.lost_after) {
      set_presence(producer, Presence::lost, now);
    }
    settle(producer, now, ready);
    if (producer.seq.has_hole()) touch(producer);
  }
  expire_waiting(now);
}

void Producers::settle(Producer& producer, Now now, Ready& ready) {
  if (!producer.seq.has_hole()) return;
  const ReadySize before(ready);
  producer.seq.settle(now, ready);
  if (now.steady - producer.seen >= limits_.give_up_after) producer.seq.give_up_all(now, ready);
  count_new(producer, ready, before);
}

void Producers::expire_waiting(Now now) {
  while (!waiting_.empty() && now.steady - waiting_.front().since >= limits_.hello_wait) {
    auto& waiting = waiting_.front();
    waiting_bytes_ -= waiting.event.payload.size();
    reject_sequenced(Reject::unknown_producer, waiting.id, waiting.stamp);
    waiting_.pop_front();
  }
}

std::vector<ProducerMark> Producers::take_marks() {
  std::vector<ProducerMark> marks;
  for (auto* producer : touched_) {
    if (producer->is_marked && producer->marked == producer->seq.have()) continue;
    producer->marked = producer->seq.have();
    producer->is_marked = true;
    marks.push_back({producer->id, producer->epoch, producer->marked});
  }
  return marks;
}

void Producers::restore(const std::vector<ProducerMark>& marks, Now now) {
  for (const auto& mark : marks) {
    Producer producer{mark.id, mark.epoch, ProducerSeq(mark.id, mark.have, limits_.repair)};
    producer.presence = Presence::lost;
    producer.seen = now.steady;
    producer.acked = producer.marked = mark.have;
    producer.is_marked = true;
    producer.told = false;
    producers_.emplace(mark.id, std::move(producer));
  }
}

void Producers::after_commit(Now now, bool kept) {
  std::vector<Producer*> later;
  for (auto* producer : std::exchange(touched_, {})) {
    producer->touched = false;
    ask_for_replay(*producer, now);
    if (kept && !ack(*producer, now)) {
      producer->touched = true;
      later.push_back(producer);
    }
  }
  touched_ = std::move(later);
}

bool Producers::ack(Producer& producer, Now now) {
  if (producer.seq.have() == producer.acked && !producer.seq.has_lost()) return true;
  if (producer.peer.empty()) return true;  // known from an earlier start, not heard of since
  if (now.steady - producer.acked_at < limits_.ack_interval) return false;
  FromBridge message;
  message.kind = FromBridge::Kind::ack;
  message.producer = producer.id;
  message.epoch = producer.epoch;
  message.seq = producer.acked = producer.seq.have();
  message.lost = producer.seq.take_lost();
  producer.acked_at = now.steady;
  messages_.push_back({producer.peer, std::move(message)});
  return true;
}

void Producers::ask_for_replay(Producer& producer, Now now) {
  if (producer.presence != Presence::online) return;
  const auto range = producer.seq.replay_due(now);
  if (!range) return;
  FromBridge message;
  message.kind = FromBridge::Kind::replay;
  message.producer = producer.id;
  message.epoch = producer.epoch;
  message.from = range->first;
  message.to = range->second;
  messages_.push_back({producer.peer, std::move(message)});
}

void Producers::touch(Producer& producer) {
  if (producer.touched) return;
  producer.touched = true;
  touched_.push_back(&producer);
}

void Producers::count_new(Producer& producer, const Ready& ready, const ReadySize& before) {
  producer.events += ready.events.size() - before.events;
  for (auto i = before.lost; i < ready.lost.size(); ++i)
    producer.lost += ready.lost[i].to - ready.lost[i].from + 1;
}

std::vector<Producers::Info> Producers::list(Now now) const {
  std::vector<Info> infos;
  for (const auto& [id, producer] : producers_) {
    const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - producer.seen);
    infos.push_back(
        {id, producer.presence, producer.epoch, producer.seq.have(), producer.events, producer.lost, silent});
  }
  return infos;
}

}  // namespace trestle
