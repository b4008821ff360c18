#include "bridge/core/producers.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr std::size_t kOldEpochs = 8;
constexpr std::size_t kOldLostRanges = 8;  // kept for each of those
// What a hello or a beat counts for is decided by the producer alone; a range this long would be a lie.
constexpr bool is_sane(const FromProducer& message, Seq run_ahead) {
  return message.first <= message.acked + 1 + run_ahead &&
         (message.last < message.first || message.last - message.first <= run_ahead);
}

using State = ProducerMark::State;

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
    : limits_(limits), rejections_(rejections), waiting_(limits.waiting_events, limits.waiting_bytes) {}

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
  saw(producer, now);
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
  if (!waiting_.add(id, stamp, std::move(event), now)) reject_sequenced(Reject::unknown_producer, id, stamp);
}

void Producers::release_waiting(Producer& producer, Now now, Ready& ready) {
  for (auto& waiting : waiting_.take(producer.id, producer.epoch)) {
    take(producer, waiting.stamp.seq, std::move(waiting.event), now, ready);
  }
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
  reject_sequenced(Reject::unknown_producer, message.producer, {message.epoch, message.last, 0});
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
  producer->welcome_due = true;
  set_presence(*producer, Presence::online, now);
  release_waiting(*producer, now, ready);
  touch(*producer);
}

Producers::Producer* Producers::start(const FromProducer& message, Now now, Ready& ready) {
  const auto former = producers_.find(message.producer);
  const bool known = former != producers_.end();
  if (!known && producers_.size() >= limits_.producers && !make_room(now, ready)) return nullptr;

  auto again = known ? take_old(former->second, message.epoch) : OldEpoch{message.epoch, 0};
  const auto first = std::max<Seq>(message.first, 1);
  const auto have = std::max(std::min(first, message.acked + 1) - 1, again.have);
  Producer fresh{message.producer, message.epoch, ProducerSeq(message.producer, have, limits_.repair, held_)};
  fresh.presence = Presence::gone;  // until set_presence() says it
  fresh.seen = now.steady;
  fresh.acked = have;
  fresh.seq.lost() = std::move(again.lost);
  fresh.seq.lost().heard(message.acked);
  fresh.seq.lost().repeat();
  if (known) {
    former->second.seq.give_up_all(now, ready);  // its open hole is closed as a gap
    fresh.old_epochs = supersede(former->second);
    producers_.erase(former);
  }
  auto& producer = producers_.emplace(message.producer, std::move(fresh)).first->second;
  const ReadySize before(ready);
  producer.seq.give_up(first - 1, now, ready);
  (void)producer.seq.holds(first, message.last, now, ready);  // is_sane() has checked the range
  count_new(producer, ready, before);
  return &producer;
}

// An old epoch that comes back goes on where it was.
Producers::OldEpoch Producers::take_old(Producer& producer, std::uint64_t epoch) {
  const auto found = find_epoch(producer.old_epochs, epoch);
  if (found == producer.old_epochs.end()) return {epoch, 0};
  auto taken = std::move(*found);
  producer.old_epochs.erase(found);
  return taken;
}

// The old epochs of whoever takes the place of `former`, whose holes are closed.
std::vector<Producers::OldEpoch> Producers::supersede(Producer& former) {
  auto old = std::move(former.old_epochs);
  auto lost = std::move(former.seq.lost());
  lost.shrink(kOldLostRanges);
  old.push_back({former.epoch, former.seq.have(), std::move(lost)});
  mark(former, former.epoch, former.seq.have(), State::superseded);
  if (old.size() > kOldEpochs) {
    mark(former, old.front().epoch, 0, State::forgotten);
    old.erase(old.begin());
  }
  untouch(former);
  return old;
}

void Producers::from_known(Producer& producer, std::string_view peer, const FromProducer& message, Now now,
                           Ready& ready) {
  using Kind = FromProducer::Kind;
  saw(producer, now);
  keep_up(producer, std::string(peer), message, now);
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
  set_presence(producer, message.kind == Kind::bye ? Presence::gone : Presence::online, now);
  touch(producer);
}

// What the message says of where its producer is now, and of what has reached it.
void Producers::keep_up(Producer& producer, const std::string& peer, const FromProducer& message, Now now) {
  using Kind = FromProducer::Kind;
  const bool moved = producer.peer != peer;
  const bool says_hello = message.kind == Kind::hello;
  // It still holds what was acked: an ack did not reach it, so say it again.
  const bool missed_ack = message.kind == Kind::beat && message.first > 0 && message.first <= producer.acked;
  if (missed_ack) producer.acked = message.first - 1;
  if (says_hello) producer.seq.lost().heard(message.acked);
  if (moved || says_hello || missed_ack) producer.seq.lost().repeat();
  if (moved) producer.seq.expect_tail(now);
  if (moved || says_hello) producer.welcome_due = true;
  producer.peer = peer;
}

void Producers::refuse(std::string_view peer, const FromProducer& message, std::string reason) {
  reject_sequenced(Reject::hello_refused, message.producer, {message.epoch, message.last, 0});
  answer_refused(peer, message, std::move(reason));
}

void Producers::forbid(std::string_view peer, const FromProducer& message) {
  const bool asks = message.kind == FromProducer::Kind::hello || message.kind == FromProducer::Kind::beat;
  if (asks && has_room()) answer_refused(peer, message, "forbidden");
}

void Producers::answer_refused(std::string_view peer, const FromProducer& message, std::string reason) {
  FromBridge answer;
  answer.kind = FromBridge::Kind::refused;
  answer.producer = message.producer;
  answer.epoch = message.epoch;
  answer.reason = std::move(reason);
  messages_.push_back({std::string(peer), std::move(answer)});
}

// Who hears that the bridge is at a seq must have heard what of that is lost: so such an ack goes before.
// While nothing is kept, no more is welcomed than was acked, or the producer would drop what it may need
// again.
void Producers::welcome(Producer& producer, Now now, bool kept) {
  producer.welcome_due = false;
  if (kept && producer.seq.lost().has_news()) send_ack(producer, now);
  FromBridge answer;
  answer.kind = FromBridge::Kind::welcome;
  answer.producer = producer.id;
  answer.epoch = producer.epoch;
  answer.seq = kept ? producer.seq.have() : producer.acked;
  messages_.push_back({producer.peer, std::move(answer)});
}

void Producers::saw(Producer& producer, Now now) {
  producer.seen = now.steady;
  producer.heard = true;
}

void Producers::set_presence(Producer& producer, Presence presence, Now now) {
  if (producer.presence == presence && producer.told) return;
  producer.presence = presence;
  producer.told = true;
  if (presence != Presence::online) all_here_ = false;
  changes_.push_back({producer.id, presence, producer.epoch, producer.seq.have(), now.wall});
}

// Makes room by forgetting the producer that has been away for the longest.
bool Producers::make_room(Now now, Ready& ready) {
  if (all_here_) return false;
  for (bool searched = false;;) {
    if (away_.empty()) {
      if (std::exchange(searched, true)) break;
      find_away();
      continue;
    }
    const auto candidate = std::move(away_.back());
    away_.pop_back();
    const auto found = producers_.find(candidate.id);
    const bool still_away = found != producers_.end() && found->second.presence != Presence::online &&
                            found->second.seen == candidate.seen;
    if (!still_away) continue;
    forget(found, now, ready);
    return true;
  }
  all_here_ = true;
  return false;
}

// Once for many that come: looking at ten thousand for each would be a flood's win.
void Producers::find_away() {
  for (const auto& [id, producer] : producers_) {
    if (producer.presence != Presence::online) away_.push_back({producer.seen, id});
  }
  std::sort(away_.begin(), away_.end(), [](const Away& a, const Away& b) { return a.seen > b.seen; });
}

void Producers::forget(ProducerMap::iterator found, Now now, Ready& ready) {
  auto& producer = found->second;
  producer.seq.give_up_all(now, ready);  // an open hole becomes a gap, never silence
  mark(producer, producer.epoch, 0, State::forgotten);
  for (const auto& old : producer.old_epochs) mark(producer, old.epoch, 0, State::forgotten);
  untouch(producer);
  producers_.erase(found);
}

void Producers::tick(Now now, Ready& ready) {
  for (auto& [id, producer] : producers_) {
    const auto silent = now.steady - producer.seen;
    const bool may_be_lost = producer.presence == Presence::online || !producer.told;
    if (may_be_lost && silent >= limits_.lost_after) {
      set_presence(producer, Presence::lost, now);
    }
    if (producer.seq.has_hole()) touch(producer);
    settle(producer, now, ready);
  }
  waiting_.expire(now, limits_.hello_wait, [&](std::string_view id, const Stamp& stamp) {
    reject_sequenced(Reject::unknown_producer, id, stamp);
  });
}

void Producers::settle(Producer& producer, Now now, Ready& ready) {
  if (!producer.seq.has_hole()) return;
  const ReadySize before(ready);
  producer.seq.settle(now, ready);
  if (now.steady - producer.seen >= limits_.give_up_after) producer.seq.give_up_all(now, ready);
  count_new(producer, ready, before);
}

std::vector<ProducerMark> Producers::take_marks() {
  auto marks = std::exchange(marks_, {});
  for (auto* producer : touched_) {
    const SeqRange at{producer->seq.have(), producer->seq.known_last()};
    const auto as = producer->presence == Presence::gone ? State::left : State::current;
    if (producer->marked_as == as && producer->marked == at) continue;
    producer->marked = at;
    producer->marked_as = as;
    marks.push_back({producer->id, producer->epoch, at.first, at.second, as});
  }
  return marks;
}

void Producers::mark(const Producer& producer, std::uint64_t epoch, Seq have, ProducerMark::State state) {
  marks_.push_back({producer.id, epoch, have, have, state});
}

void Producers::restore(const std::vector<ProducerMark>& marks, Now now) {
  for (const auto& mark : marks) {
    const bool was_last = mark.state == State::current || mark.state == State::left;
    if (was_last && producers_.size() < limits_.producers) restore_current(mark, now);
  }
  for (const auto& mark : marks) restore_old(mark);
}

void Producers::restore_current(const ProducerMark& mark, Now now) {
  const bool left = mark.state == State::left;
  Producer producer{mark.id, mark.epoch, ProducerSeq(mark.id, mark.have, limits_.repair, held_, mark.known)};
  producer.presence = left ? Presence::gone : Presence::lost;
  producer.seen = now.steady;
  producer.acked = mark.have;
  producer.marked = {mark.have, producer.seq.known_last()};
  producer.marked_as = mark.state;
  producer.told = left;
  producer.heard = false;
  producers_.emplace(mark.id, std::move(producer));
}

// Superseded epochs, and what there is no room for.
void Producers::restore_old(const ProducerMark& mark) {
  const auto found = producers_.find(mark.id);
  if (found == producers_.end()) {
    marks_.push_back({mark.id, mark.epoch, 0, 0, State::forgotten});
  } else if (mark.state == State::superseded) {
    found->second.old_epochs.push_back({mark.epoch, mark.have});
  }
}

void Producers::after_commit(Now now, bool kept) {
  std::vector<Producer*> later;
  for (auto* producer : std::exchange(touched_, {})) {
    producer->touched = false;
    if (producer->welcome_due) welcome(*producer, now, kept);
    ask_for_replay(*producer, now);
    if (kept && !ack(*producer, now)) {
      producer->touched = true;
      later.push_back(producer);
    }
  }
  touched_ = std::move(later);
}

bool Producers::ack(Producer& producer, Now now) {
  if (producer.seq.have() == producer.acked && !producer.seq.lost().has_news()) return true;
  if (producer.peer.empty()) return true;  // said when it is heard of again
  if (now.steady - producer.acked_at < limits_.ack_interval) return false;
  send_ack(producer, now);
  return true;
}

void Producers::send_ack(Producer& producer, Now now) {
  FromBridge message;
  message.kind = FromBridge::Kind::ack;
  message.producer = producer.id;
  message.epoch = producer.epoch;
  message.seq = producer.acked = producer.seq.have();
  message.lost = producer.seq.lost().tell();
  producer.acked_at = now.steady;
  messages_.push_back({producer.peer, std::move(message)});
}

// What was not said is said again once the producer is heard of: at once would only meet the same full queue.
void Producers::undelivered(const ToProducer& message, bool unreachable) {
  const auto found = producers_.find(message.message.producer);
  if (found == producers_.end()) return;
  auto& producer = found->second;
  if (producer.epoch != message.message.epoch || producer.peer != message.peer) return;
  if (unreachable) producer.peer.clear();
  if (message.message.kind != FromBridge::Kind::ack || message.message.seq == 0) return;
  producer.acked = std::min(producer.acked, message.message.seq - 1);
  producer.seq.lost().repeat();
}

void Producers::ask_for_replay(Producer& producer, Now now) {
  // Gone is not deaf: after a bye it may linger until it has answered.
  if (producer.presence == Presence::lost || producer.peer.empty()) return;
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

void Producers::untouch(const Producer& producer) {
  if (producer.touched)
    touched_.erase(std::remove(touched_.begin(), touched_.end(), &producer), touched_.end());
}

void Producers::touch(Producer& producer) {
  if (producer.touched) return;
  producer.touched = true;
  touched_.push_back(&producer);
}

void Producers::count_new(Producer& producer, const Ready& ready, const ReadySize& before) {
  producer.events += ready.events.size() - before.events;
  if (before.lost > 0) producer.lost += ready.lost[before.lost - 1].to - before.lost_to;
  for (auto i = before.lost; i < ready.lost.size(); ++i)
    producer.lost += ready.lost[i].to - ready.lost[i].from + 1;
}

std::vector<Producers::Info> Producers::list(Now now) const {
  std::vector<Info> infos;
  for (const auto& [id, producer] : producers_) {
    infos.push_back(
        {id, producer.presence, producer.epoch, producer.seq.have(), producer.events, producer.lost, {}});
    if (producer.heard)
      infos.back().silent = std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - producer.seen);
  }
  return infos;
}

}  // namespace trestle
