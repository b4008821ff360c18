// Does repair keep its promise under any schedule? Every event of every life of a producer comes out of the
// bridge exactly once and in order, or its seq is named as lost, once, and then for a reason. And whatever
// acks get lost with their connection, a producer that is told of a seq has been told what of that is lost.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <random>

#include "bridge/core/producers.h"
#include "fixtures.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSteps = 150'000;
constexpr std::size_t kProducers = 3;
constexpr std::size_t kBuffer = 40;        // events a producer keeps for replays
constexpr Seq kLifeSpan = 10'000'000'000;  // lives of one producer number disjoint ranges, to tell them apart

std::uint64_t seed() {
  if (const char* given = std::getenv("TRESTLE_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

class Chance {
 public:
  explicit Chance(std::uint64_t from) : engine_(from) {}
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_);
  }
  bool percent(std::size_t chance) { return below(100) < chance; }

 private:
  std::mt19937_64 engine_;
};

/// A producer and everything that is on its way to the bridge.
struct Source {
  std::string id;
  std::uint64_t epoch = 0;
  Seq first = 1;  // oldest seq still held
  Seq last = 0;
  Seq acked = 0;
  bool welcome = false;
  std::size_t connections = 0;  // each has a routing id of its own
  std::vector<SeqRange> told;   // lost, as acks said, without repetitions
  milliseconds quiet_until{0};
  milliseconds heard{0};  // when the bridge last heard of the life it knows
  struct Sent {
    std::uint64_t epoch;
    Seq seq;
  };
  std::deque<Sent> on_the_way;
};

/// What must be true of one id's part of the stream.
struct Expected {
  std::uint64_t epoch = 0;  // the life the bridge follows
  Seq next = 1;
  std::vector<SeqRange> lost;  // of that life
};

class Schedule {
 public:
  explicit Schedule(std::uint64_t from) : chance_(from), producers_(limits(), rejections_) {
    for (std::size_t i = 0; i < kProducers; ++i) {
      sources_.push_back({});
      sources_.back().id = "p" + std::to_string(i);
      expected_.push_back({});
      begin_life(sources_.back());
    }
  }

  void step() {
    auto& source = sources_[chance_.below(kProducers)];
    switch (chance_.below(20)) {
      case 0:
      case 1:
      case 2: publish(source); break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
      case 10: deliver(source); break;
      case 11:
      case 12: beat(source); break;
      case 13:
      case 14:
      case 15: pass(milliseconds(1 + chance_.below(60))); break;
      case 16:
        if (chance_.below(1'000) < 4) restart(source);
        break;
      case 17:
        if (chance_.below(1'000) < 3) source.quiet_until = now_ + milliseconds(chance_.below(90'000));
        break;
      case 18:
        if (chance_.below(1'000) < 3) pass(milliseconds(chance_.below(70'000)));
        break;
      case 19:
        if (chance_.percent(10)) forget_oldest(source);
        break;
    }
    commit(true);
  }

  /// Everybody speaks and every question is answered until nothing is open.
  void settle() {
    for (auto& source : sources_) source.quiet_until = {};
    for (int round = 0; round < 1'000; ++round) {
      for (auto& source : sources_) {
        while (!source.on_the_way.empty()) deliver(source);
        beat(source);
      }
      pass(100ms);
      commit(false);
    }
  }

  void check_settled() {
    for (std::size_t i = 0; i < kProducers; ++i) {
      CAPTURE(sources_[i].id);
      CHECK(expected_[i].epoch == sources_[i].epoch);
      CHECK(expected_[i].next == sources_[i].last + 1);
      CHECK(sources_[i].acked == sources_[i].last);
      CHECK(sources_[i].told == expected_[i].lost);
    }
  }
  const std::string& fault() const { return fault_; }
  std::size_t released() const { return released_; }
  std::size_t lost() const { return lost_; }
  std::size_t lives() const { return lives_; }
  std::size_t replays() const { return replays_; }

 private:
  static ProducerLimits limits() {
    ProducerLimits limits;
    limits.repair.hold_events = 8;
    limits.repair.hold_bytes = 60;
    limits.repair.chunk = 5;
    limits.waiting_events = 20;
    return limits;
  }

  // A clock that may step back, and a numbering of its own.
  void begin_life(Source& source) {
    const Seq base = ++lives_ * kLifeSpan;
    source.epoch = 1 + (lives_ * 7'919) % 1'000'003;
    source.first = base + 1;
    source.last = source.acked = base;
    source.told.clear();
    connect(source);
    hello(source);
  }
  void connect(Source& source) {
    source.welcome = false;
    ++source.connections;
  }
  static std::string peer_of(const Source& source) {
    return source.id + "/" + std::to_string(source.connections);
  }
  void restart(Source& source) {
    source.quiet_until = {};
    begin_life(source);
  }
  bool quiet(const Source& source) const { return now_ < source.quiet_until; }

  void publish(Source& source) {
    if (quiet(source)) return;
    ++source.last;
    if (source.last - source.first >= kBuffer) ++source.first;
    send(source, source.last);
  }
  void send(Source& source, Seq seq) {
    if (chance_.percent(10)) return;
    source.on_the_way.push_back({source.epoch, seq});
    if (chance_.percent(5)) source.on_the_way.push_back({source.epoch, seq});
  }
  void deliver(Source& source) {
    if (source.on_the_way.empty()) return;
    const auto which = chance_.percent(10) ? chance_.below(source.on_the_way.size()) : 0;
    const auto sent = source.on_the_way[which];
    source.on_the_way.erase(source.on_the_way.begin() + static_cast<std::ptrdiff_t>(which));
    note_heard(source, sent.epoch);
    producers_.offer(source.id, {sent.epoch, sent.seq, 1},
                     event_of(source.id + ":" + std::to_string(sent.epoch) + ":" + std::to_string(sent.seq)),
                     at(now_), ready_);
  }
  void beat(Source& source) {
    if (quiet(source)) return;
    if (!source.welcome) return hello(source);
    control(source, FromProducer::Kind::beat);
  }
  void hello(Source& source) { control(source, FromProducer::Kind::hello); }
  void control(Source& source, FromProducer::Kind kind, Seq from = 0, Seq to = 0) {
    FromProducer message;
    message.kind = kind;
    message.producer = source.id;
    message.epoch = source.epoch;
    message.first = source.first;
    message.last = source.last;
    message.acked = source.acked;
    message.from = from;
    message.to = to;
    note_heard(source, source.epoch);
    producers_.control(peer_of(source), message, at(now_), ready_);
  }
  void forget_oldest(Source& source) {
    if (!quiet(source) && source.first <= source.last) ++source.first;
  }
  void pass(milliseconds time) {
    now_ += time;
    producers_.tick(at(now_), ready_);
  }

  // The bridge commits, and what it says reaches the producers, or some of it does not.
  void commit(bool unreliable) {
    producers_.after_commit(at(now_));
    const auto messages = producers_.take_messages();
    check_stream();
    std::string full;  // who could not take one message gets none of this batch
    for (const auto& sent : messages) {
      const auto& message = sent.message;
      if (message.kind == FromBridge::Kind::welcome) follow(message.producer, message.seq + 1);
      auto& source = source_of(message.producer);
      if (message.kind == FromBridge::Kind::ack) check_ack(message);
      if (sent.peer != peer_of(source)) {
        producers_.undelivered(sent, true);
      } else if (sent.peer == full || (unreliable && chance_.percent(5))) {
        full = sent.peer;
        producers_.undelivered(sent, false);
      } else if (unreliable && chance_.percent(5)) {
        connect(source);  // the connection breaks with this on its way
      } else if (message.epoch == source.epoch && !quiet(source)) {
        answer(source, message, unreliable);
      } else if (message.epoch == source.epoch) {
        hear(source, message);  // stopped; it will read this first when it goes on
      }
    }
  }
  void hear(Source& source, const FromBridge& message) {
    using Kind = FromBridge::Kind;
    if (message.kind != Kind::ack && message.kind != Kind::welcome) return;
    if (message.kind == Kind::welcome) source.welcome = true;
    for (const auto& [from, to] : message.lost) {
      if (to > source.acked) add(source.told, {std::max(from, source.acked + 1), to});
    }
    source.acked = std::max(source.acked, message.seq);
    source.first = std::max(source.first, message.seq + 1);
    check_told(source);
  }
  static void add(std::vector<SeqRange>& ranges, SeqRange range) {
    if (!ranges.empty() && ranges.back().second + 1 == range.first) {
      ranges.back().second = range.second;
    } else {
      ranges.push_back(range);
    }
  }
  void answer(Source& source, const FromBridge& message, bool unreliable) {
    using Kind = FromBridge::Kind;
    hear(source, message);
    if (message.kind != Kind::replay) return;
    ++replays_;
    if (message.from < source.first) {
      control(source, FromProducer::Kind::gone, message.from, std::min(message.to, source.first - 1));
    }
    for (auto seq = std::max(message.from, source.first); seq <= message.to; ++seq) {
      if (unreliable && chance_.percent(10)) return;
      source.on_the_way.push_back({source.epoch, seq});
    }
  }

  // --- the model
  Expected& expected_of(const std::string& id) { return expected_[static_cast<std::size_t>(id[1] - '0')]; }
  Source& source_of(const std::string& id) { return sources_[static_cast<std::size_t>(id[1] - '0')]; }
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }
  void note_heard(Source& source, std::uint64_t epoch) {
    auto& expected = expected_of(source.id);
    if (epoch == expected.epoch) source.heard = now_;
  }

  void check_stream() {
    auto lost = ready_.lost.begin();
    for (std::size_t i = 0; i <= ready_.events.size(); ++i) {
      for (; lost != ready_.lost.end() && lost->before == i; ++lost) check_lost(*lost);
      if (i < ready_.events.size()) check_event(ready_.events[i].payload);
    }
    if (lost != ready_.lost.end()) fail("a hole out of order");
    ready_ = {};
  }
  // The bridge's first word of a newer life: from here on nothing of the older one may come.
  void follow(const std::string& id, Seq seq) {
    auto& expected = expected_of(id);
    auto& source = source_of(id);
    if (seq / kLifeSpan == expected.next / kLifeSpan || source.epoch == expected.epoch) return;
    expected = {source.epoch, source.last / kLifeSpan * kLifeSpan + 1, {}};
    source.heard = now_;
  }
  void check_event(const std::string& payload) {
    const auto colon = payload.find(':');
    const auto second = payload.find(':', colon + 1);
    const auto id = payload.substr(0, colon);
    const auto epoch = std::stoull(payload.substr(colon + 1, second));
    const auto seq = std::stoull(payload.substr(second + 1));
    follow(id, seq);
    auto& expected = expected_of(id);
    if (epoch != expected.epoch) return fail(payload + " is of a life that is over");
    if (seq != expected.next) return fail(payload + " when " + std::to_string(expected.next) + " was due");
    ++expected.next;
    ++released_;
  }
  void check_lost(const LostRange& lost) {
    follow(lost.producer, lost.from);
    auto& expected = expected_of(lost.producer);
    auto& source = source_of(lost.producer);
    if (lost.from != expected.next || lost.to < lost.from) {
      return fail(lost.producer + " lost " + range_text(lost.from, lost.to) + " when " +
                  std::to_string(expected.next) + " was due");
    }
    const bool life_over = source.epoch != expected.epoch;
    const bool silent = now_ - source.heard >= 60s;
    if (!life_over && !silent && lost.to >= source.first) {
      fail(lost.producer + " lost " + range_text(lost.from, lost.to) + " that it still holds");
    }
    expected.next = lost.to + 1;
    add(expected.lost, {lost.from, lost.to});
    lost_ += lost.to - lost.from + 1;
  }
  void check_ack(const FromBridge& ack) {
    auto& expected = expected_of(ack.producer);
    if (ack.epoch != expected.epoch) return;
    if (ack.seq != expected.next - 1) fail("an ack of " + std::to_string(ack.seq) + " ahead of the stream");
  }
  void check_told(const Source& source) {
    const auto& expected = expected_of(source.id);
    if (expected.epoch != source.epoch) return;
    std::vector<SeqRange> known;
    for (const auto& [from, to] : expected.lost) {
      if (from <= source.acked) known.emplace_back(from, std::min(to, source.acked));
    }
    if (source.told != known)
      fail(source.id + " knows of " + std::to_string(source.acked) + " but not what is lost");
  }

  Chance chance_;
  Rejections rejections_;
  Producers producers_;
  Ready ready_;
  milliseconds now_{0};
  std::vector<Source> sources_;
  std::vector<Expected> expected_;
  std::string fault_;
  std::size_t released_ = 0;
  std::size_t lost_ = 0;
  std::size_t lives_ = 0;
  std::size_t replays_ = 0;
};

}  // namespace

TEST_CASE("whatever the schedule, each event is released once and in order, or named lost") {
  const auto from = seed();
  MESSAGE("replay with TRESTLE_SEED=" << from);
  Schedule schedule(from);
  for (std::size_t i = 0; i < kSteps && schedule.fault().empty(); ++i) {
    schedule.step();
    if (!schedule.fault().empty()) MESSAGE("at step " << i);
  }
  REQUIRE(schedule.fault() == "");
  schedule.settle();
  REQUIRE(schedule.fault() == "");
  schedule.check_settled();
  // The schedule was worth running.
  CHECK(schedule.released() > kSteps / 20);
  CHECK(schedule.lost() > 0);
  CHECK(schedule.lives() > kProducers);
  CHECK(schedule.replays() > 0);
}
