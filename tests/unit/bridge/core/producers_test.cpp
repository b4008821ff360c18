#include "bridge/core/producers.h"

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

#include "fixtures.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kEpoch = 1'000;

/// The bridge's side of the control socket, and producers that speak to it by hand. A producer's routing id
/// is
/// "@" and its name unless it says otherwise.
class ProducersFixture {
 public:
  explicit ProducersFixture(ProducerLimits limits = {}) : producers_(limits, rejections) {}

  void hello(const std::string& id, Seq first, Seq last, Seq acked = 0, std::uint64_t epoch = kEpoch,
             const std::string& peer = {}) {
    auto message = from(id, FromProducer::Kind::hello, epoch);
    message.first = first;
    message.last = last;
    message.acked = acked;
    control(message, peer);
  }
  void beat(const std::string& id, Seq first, Seq last, std::uint64_t epoch = kEpoch,
            const std::string& peer = {}) {
    auto message = from(id, FromProducer::Kind::beat, epoch);
    message.first = first;
    message.last = last;
    control(message, peer);
  }
  void gone(const std::string& id, Seq first, Seq last) {
    auto message = from(id, FromProducer::Kind::gone, kEpoch);
    message.from = first;
    message.to = last;
    control(message, {});
  }
  void bye(const std::string& id, Seq last) {
    auto message = from(id, FromProducer::Kind::bye, kEpoch);
    message.last = last;
    control(message, {});
  }
  void publish(const std::string& id, Seq seq, std::uint64_t epoch = kEpoch) {
    producers_.offer(id, {epoch, seq, 1}, event_of(std::to_string(seq)), at(now_), ready_);
  }
  void publish_all(const std::string& id, Seq first, Seq last) {
    for (auto seq = first; seq <= last; ++seq) publish(id, seq);
  }
  /// Time passes in the steps a bridge takes; nobody says anything.
  void wait(milliseconds time) {
    for (const auto end = now_ + time; now_ < end;) {
      now_ = std::min(end, now_ + 50ms);
      producers_.tick(at(now_), ready_);
    }
  }

  std::string stream() { return take_text(ready_); }
  /// What the bridge says once the stream has what was ready, as "@p1 ack 3 lost 2".
  std::string answers() {
    producers_.after_commit(at(now_));
    std::string text;
    for (const auto& answer : producers_.take_messages()) {
      text += (text.empty() ? "" : ", ") + answer.peer + " " + text_of(answer.message);
    }
    return text.empty() ? "nothing" : text;
  }
  /// The same, but nothing of it reaches its producer.
  std::string undelivered(bool unreachable) {
    producers_.after_commit(at(now_));
    std::string text;
    for (const auto& answer : producers_.take_messages()) {
      text += (text.empty() ? "" : ", ") + answer.peer + " " + text_of(answer.message);
      producers_.undelivered(answer, unreachable);
    }
    return text.empty() ? "nothing" : text;
  }
  /// While the stream keeps nothing.
  std::string answers_degraded() {
    producers_.after_commit(at(now_), false);
    std::string text;
    for (const auto& answer : producers_.take_messages()) add_word(text, text_of(answer.message));
    return text.empty() ? "nothing" : text;
  }
  /// What the stream is to keep: "p1/1000:3", "p1/1000:3-5" when 4 and 5 are missed, "… old" or "…
  /// forgotten".
  std::string marks() {
    std::string text;
    for (const auto& mark : producers_.take_marks()) {
      kept_[{mark.id, mark.epoch}] = mark;
      const auto life = mark.id + "/" + std::to_string(mark.epoch);
      using State = ProducerMark::State;
      if (mark.state == State::forgotten) {
        add_word(text, life + " forgotten");
      } else {
        add_word(text, life + ":" + range_text(mark.have, mark.known));
        if (mark.state == State::superseded) add_word(text, "old");
      }
    }
    return text.empty() ? "nothing" : text;
  }
  /// A start of the bridge with what marks() gave `former`.
  void restore_from(const ProducersFixture& former) {
    std::vector<ProducerMark> marks;
    for (const auto& [life, mark] : former.kept_) {
      if (mark.state != ProducerMark::State::forgotten) marks.push_back(mark);
    }
    producers_.restore(marks, at(now_));
  }
  std::string presence() {
    std::string text;
    for (const auto& change : producers_.take_changes()) {
      add_word(text, change.id + ":" + std::string(name_of(change.presence)));
    }
    return text.empty() ? "unchanged" : text;
  }
  Producers::Info info(const std::string& id) const {
    for (auto& info : producers_.list(at(now_))) {
      if (info.id == id) return info;
    }
    throw std::runtime_error("no producer " + id);
  }
  std::uint64_t rejected(Reject reason) const { return rejections.total(reason); }
  bool acks_pending() const { return producers_.acks_pending(); }
  std::size_t known() const { return producers_.list(at(now_)).size(); }

  Rejections rejections;

 private:
  static FromProducer from(const std::string& id, FromProducer::Kind kind, std::uint64_t epoch) {
    FromProducer message;
    message.kind = kind;
    message.producer = id;
    message.epoch = epoch;
    return message;
  }
  void control(const FromProducer& message, const std::string& peer) {
    producers_.control(peer.empty() ? "@" + message.producer : peer, message, at(now_), ready_);
  }
  static std::string text_of(const FromBridge& message) {
    switch (message.kind) {
      case FromBridge::Kind::welcome: return "welcome " + std::to_string(message.seq);
      case FromBridge::Kind::replay: return "replay " + range_text(message.from, message.to);
      case FromBridge::Kind::refused: return "refused " + message.reason;
      case FromBridge::Kind::command: return "command";
      case FromBridge::Kind::ack: break;
    }
    auto text = "ack " + std::to_string(message.seq);
    if (!message.lost.empty()) text += " lost";
    for (const auto& [first, last] : message.lost) text += " " + range_text(first, last);
    return text;
  }

  Producers producers_;
  std::map<std::pair<std::string, std::uint64_t>, ProducerMark> kept_;
  Ready ready_;
  milliseconds now_{0};
};

/// A bridge that p1 has said hello to; nothing is waiting to be told.
ProducersFixture with_p1(ProducerLimits limits = {}) {
  ProducersFixture bridge(limits);
  bridge.hello("p1", 1, 0);
  bridge.answers();
  bridge.presence();
  return bridge;
}

}  // namespace

TEST_CASE("a hello is welcomed and the producer is online") {
  ProducersFixture bridge;
  bridge.hello("p1", 1, 0);
  CHECK(bridge.answers() == "@p1 welcome 0");
  CHECK(bridge.presence() == "p1:online");
  CHECK(bridge.stream() == "nothing");
  bridge.hello("p1", 1, 0);
  CHECK(bridge.answers() == "@p1 welcome 0");
  CHECK(bridge.presence() == "unchanged");
}

TEST_CASE("where a producer the bridge knows nothing of starts: min(first, acked + 1)") {
  ProducersFixture bridge;
  SUBCASE("it holds everything") {
    bridge.hello("p1", 1, 9);
    CHECK(bridge.answers() == "@p1 welcome 0");
    CHECK(bridge.stream() == "nothing");
  }
  SUBCASE("what was acked and dropped is no loss") {
    bridge.hello("p1", 7, 9, 6);
    CHECK(bridge.answers() == "@p1 welcome 6");
    CHECK(bridge.stream() == "nothing");
  }
  SUBCASE("what lies between acked and first is lost") {
    bridge.hello("p1", 7, 9, 3);
    CHECK(bridge.stream() == "lost:4-6");
    CHECK(bridge.answers() == "@p1 ack 6 lost 4-6, @p1 welcome 6");
    CHECK(bridge.info("p1").lost == 3);
  }
  SUBCASE("a beat counts as hello; it does not say what was acked, so nothing is called lost") {
    bridge.beat("p1", 7, 9);
    CHECK(bridge.stream() == "nothing");
    CHECK(bridge.answers() == "@p1 welcome 6");
    CHECK(bridge.presence() == "p1:online");
  }
  SUBCASE("the tail it speaks of is asked for") {
    bridge.hello("p1", 7, 9, 6);
    bridge.answers();
    bridge.wait(250ms);
    CHECK(bridge.answers() == "@p1 replay 7-9");
  }
  SUBCASE("a range that nobody could hold is refused") {
    bridge.hello("p1", 1, 20'000'000);
    CHECK(bridge.answers() == "nothing");
    CHECK(bridge.rejected(Reject::seq_range) == 1);
    CHECK(bridge.known() == 0);
  }
}

TEST_CASE("events are acked once they are in the stream, every 5 ms at most") {
  auto bridge = with_p1();
  bridge.publish_all("p1", 1, 3);
  CHECK(bridge.stream() == "1 2 3");
  CHECK(bridge.answers() == "@p1 ack 3");
  CHECK_FALSE(bridge.acks_pending());
  bridge.publish("p1", 4);
  CHECK(bridge.answers() == "nothing");
  CHECK(bridge.acks_pending());
  bridge.publish("p1", 5);
  bridge.wait(5ms);
  CHECK(bridge.answers() == "@p1 ack 5");
  CHECK_FALSE(bridge.acks_pending());
}

TEST_CASE("a hole is asked for, and what is gone is named in stream and ack") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  bridge.publish("p1", 5);
  CHECK(bridge.answers() == "@p1 replay 2-4, @p1 ack 1");
  bridge.publish("p1", 3);
  CHECK(bridge.stream() == "1");
  bridge.gone("p1", 2, 2);
  CHECK(bridge.stream() == "lost:2 3");
  bridge.wait(10ms);
  CHECK(bridge.answers() == "@p1 ack 3 lost 2");
  bridge.publish("p1", 4);
  CHECK(bridge.stream() == "4 5");
  CHECK(bridge.info("p1").lost == 1);
  CHECK(bridge.info("p1").events == 4);

  SUBCASE("gone reaches no further than what is known to exist") {
    bridge.gone("p1", 6, 1'000);
    CHECK(bridge.stream() == "nothing");
    bridge.publish("p1", 6);
    CHECK(bridge.stream() == "6");
  }
  SUBCASE("gone for what lies behind an open hole waits until that one is asked for") {
    bridge.publish("p1", 9);
    bridge.gone("p1", 7, 8);
    CHECK(bridge.stream() == "nothing");
    bridge.gone("p1", 6, 8);
    CHECK(bridge.stream() == "lost:6-8 9");
  }
}

TEST_CASE("an event dropped from a full hold and sent again counts once") {
  ProducerLimits limits;
  limits.repair.hold_events = 1;
  auto bridge = with_p1(limits);
  bridge.publish("p1", 2);
  bridge.publish("p1", 3);
  bridge.publish("p1", 1);
  bridge.publish("p1", 3);
  CHECK(bridge.stream() == "1 2 3");
  CHECK(bridge.info("p1").events == 3);
}

TEST_CASE("what the producer no longer holds when it beats is lost") {
  auto bridge = with_p1();
  bridge.publish("p1", 5);
  bridge.beat("p1", 4, 5);
  CHECK(bridge.stream() == "lost:1-3");
  bridge.publish("p1", 4);
  CHECK(bridge.stream() == "4 5");
}

TEST_CASE("an ack that got lost on the way is said again when the producer still holds what it covers") {
  auto bridge = with_p1();
  bridge.publish_all("p1", 1, 3);
  CHECK(bridge.answers() == "@p1 ack 3");
  bridge.wait(1s);
  bridge.beat("p1", 1, 3);
  CHECK(bridge.answers() == "@p1 ack 3");
  bridge.wait(1s);
  bridge.beat("p1", 4, 3);
  CHECK(bridge.answers() == "nothing");
}

TEST_CASE("events of a producer that has not said hello wait for it") {
  ProducersFixture bridge;
  bridge.publish("p1", 1);
  bridge.publish("p1", 2);
  bridge.publish("p2", 1);
  CHECK(bridge.stream() == "nothing");
  bridge.wait(1'900ms);
  SUBCASE("and follow when it comes") {
    bridge.hello("p1", 1, 2);
    CHECK(bridge.stream() == "1 2");
    bridge.wait(5s);
    CHECK(bridge.rejected(Reject::unknown_producer) == 1);  // p2's
  }
  SUBCASE("for two seconds at most") {
    bridge.wait(100ms);
    CHECK(bridge.rejected(Reject::unknown_producer) == 3);
    bridge.hello("p1", 1, 2);
    CHECK(bridge.stream() == "nothing");
    bridge.wait(250ms);
    CHECK(bridge.answers() == "@p1 welcome 0, @p1 replay 1-2");
  }
}

TEST_CASE("waiting for hellos is bounded, by number and by bytes") {
  ProducerLimits limits;
  limits.waiting_events = 3;
  limits.waiting_bytes = 100;
  ProducersFixture bridge(limits);
  SUBCASE("number") {
    bridge.publish_all("p1", 1, 4);
    CHECK(bridge.rejected(Reject::unknown_producer) == 1);
    bridge.hello("p1", 1, 4);
    CHECK(bridge.stream() == "1 2 3");
  }
  SUBCASE("bytes, which are free again afterwards") {
    for (int round = 0; round < 3; ++round) {
      Ready ready;
      Rejections rejections;
      Producers producers(limits, rejections);
      for (int again = 0; again < 3; ++again) {
        producers.offer("p1", {1, 1, 1}, event_of(std::string(60, 'x')), at(again * 2s), ready);
        producers.offer("p1", {1, 2, 1}, event_of(std::string(60, 'x')), at(again * 2s), ready);
        producers.tick(at(again * 2s + 2s), ready);
        CHECK(rejections.total(Reject::unknown_producer) == static_cast<std::uint64_t>(2 * again + 2));
      }
    }
  }
}

TEST_CASE("presence: silent for 5 s is lost, any word brings it back, after bye it is gone") {
  auto bridge = with_p1();
  bridge.wait(4'950ms);
  CHECK(bridge.presence() == "unchanged");
  bridge.wait(50ms);
  CHECK(bridge.presence() == "p1:lost");
  bridge.wait(60s);
  CHECK(bridge.presence() == "unchanged");
  CHECK(bridge.info("p1").silent == 65s);
  SUBCASE("by a beat") {
    bridge.beat("p1", 1, 0);
    CHECK(bridge.presence() == "p1:online");
  }
  SUBCASE("by an event") {
    bridge.publish("p1", 1);
    CHECK(bridge.presence() == "p1:online");
  }
  SUBCASE("gone is not lost") {
    bridge.bye("p1", 0);
    CHECK(bridge.presence() == "p1:gone");
    bridge.wait(10s);
    CHECK(bridge.presence() == "unchanged");
    bridge.hello("p1", 1, 0);
    CHECK(bridge.presence() == "p1:online");
  }
}

TEST_CASE("a producer that is away is not asked, until it is back") {
  auto bridge = with_p1();
  bridge.publish("p1", 3);
  CHECK(bridge.answers() == "@p1 replay 1-2");
  bridge.wait(5s);
  CHECK(bridge.answers() == "nothing");
  bridge.beat("p1", 1, 3);
  CHECK(bridge.answers() == "@p1 replay 1-2");
}

TEST_CASE("an open hole is given up after 60 s of silence, never before") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  bridge.publish("p1", 4);
  CHECK(bridge.stream() == "1");
  SUBCASE("of a producer that is silent") {
    bridge.wait(59'950ms);
    CHECK(bridge.stream() == "nothing");
    bridge.wait(50ms);
    CHECK(bridge.stream() == "lost:2-3 4");
    CHECK(bridge.info("p1").lost == 2);
  }
  SUBCASE("not of one that still beats") {
    for (int i = 0; i < 120; ++i) {
      bridge.wait(1s);
      bridge.beat("p1", 1, 4);
    }
    CHECK(bridge.stream() == "nothing");
  }
  SUBCASE("a tail that only the bye told of is given up the same way") {
    bridge.publish_all("p1", 2, 3);
    bridge.bye("p1", 6);
    CHECK(bridge.stream() == "2 3 4");
    bridge.wait(60s);
    CHECK(bridge.stream() == "lost:5-6");
  }
}

TEST_CASE("another epoch while the first still beats is refused, afterwards it takes over") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  bridge.publish("p1", 3);
  CHECK(bridge.stream() == "1");
  bridge.answers();
  bridge.hello("p1", 1, 5, 0, 2'000, "@other");
  bridge.beat("p1", 1, 5, 2'000, "@other");
  CHECK(bridge.answers() == "@other refused in_use, @other refused in_use");
  CHECK(bridge.presence() == "unchanged");

  bridge.wait(5s);
  CHECK(bridge.presence() == "p1:lost");
  bridge.hello("p1", 1, 1, 0, 2'000, "@other");
  CHECK(bridge.stream() == "lost:2 3");  // the older epoch's open hole is closed as a gap
  CHECK(bridge.answers() == "@other welcome 0");
  CHECK(bridge.presence() == "p1:online");
  bridge.publish("p1", 1, 2'000);
  CHECK(bridge.stream() == "1");

  SUBCASE("stragglers of the older epoch are refused") {
    bridge.publish("p1", 4);
    CHECK(bridge.stream() == "nothing");
    CHECK(bridge.rejected(Reject::old_epoch) == 1);
  }
  SUBCASE("the older one cannot come back while the newer beats") {
    bridge.beat("p1", 1, 4);
    CHECK(bridge.answers() == "@p1 refused in_use, @other ack 1");
  }
}

TEST_CASE("a clock that stepped back does not matter: the last hello counts") {
  auto bridge = with_p1();
  bridge.bye("p1", 0);
  bridge.answers();
  bridge.hello("p1", 1, 0, 0, kEpoch - 999);
  CHECK(bridge.answers() == "@p1 welcome 0");
  bridge.publish("p1", 1, kEpoch - 999);
  CHECK(bridge.stream() == "1");
  CHECK(bridge.info("p1").epoch == kEpoch - 999);
}

TEST_CASE("an epoch that comes back goes on where it was: nothing enters the stream twice") {
  auto bridge = with_p1();
  bridge.publish_all("p1", 1, 3);
  CHECK(bridge.stream() == "1 2 3");
  bridge.wait(5s);
  bridge.hello("p1", 1, 0, 0, 2'000, "@other");
  bridge.wait(5s);
  bridge.beat("p1", 1, 4);  // suspended for a while, it never heard of the acks
  CHECK(bridge.presence() == "p1:lost p1:online p1:lost p1:online");
  bridge.publish_all("p1", 1, 4);
  CHECK(bridge.stream() == "4");
  CHECK(bridge.rejected(Reject::seq_backwards) == 3);
}

TEST_CASE("events of a new epoch that overtake its hello wait for it") {
  auto bridge = with_p1();
  bridge.bye("p1", 0);
  bridge.publish("p1", 1, 2'000);
  CHECK(bridge.stream() == "nothing");
  bridge.hello("p1", 1, 1, 0, 2'000);
  CHECK(bridge.stream() == "1");
}

TEST_CASE("a producer that reconnects is answered at its new address and told where the bridge is") {
  auto bridge = with_p1();
  bridge.publish_all("p1", 1, 2);
  bridge.answers();
  bridge.wait(10ms);
  bridge.beat("p1", 3, 2, kEpoch, "@p1-again");
  CHECK(bridge.answers() == "@p1-again welcome 2");
  bridge.publish("p1", 3);
  CHECK(bridge.answers() == "@p1-again ack 3");
}

TEST_CASE("too many producers: one that is away makes room, else the newcomer is refused") {
  ProducerLimits limits;
  limits.producers = 2;
  ProducersFixture bridge(limits);
  bridge.hello("p1", 1, 0);
  bridge.wait(1s);
  bridge.hello("p2", 1, 0);
  bridge.answers();
  bridge.hello("p3", 1, 0);
  CHECK(bridge.answers() == "@p3 refused too_many_producers");
  CHECK(bridge.known() == 2);

  bridge.publish("p2", 1);
  bridge.publish("p2", 3);
  CHECK(bridge.stream() == "1");
  bridge.wait(30s);
  bridge.answers();
  SUBCASE("the one that has been away for longest goes first") {
    bridge.hello("p3", 1, 0);
    CHECK(bridge.answers() == "@p3 welcome 0");
    CHECK(bridge.known() == 2);
    CHECK(bridge.info("p2").seq == 1);
  }
  SUBCASE("what is forgotten with an open hole leaves a gap, never silence") {
    bridge.beat("p1", 1, 0);
    bridge.answers();
    bridge.hello("p3", 1, 0);
    CHECK(bridge.stream() == "lost:2 3");
    CHECK(bridge.info("p3").seq == 0);
  }
}

TEST_CASE("after bye the missing tail is asked for, and named lost when nobody answers for 60 s") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  bridge.bye("p1", 3);
  CHECK(bridge.answers() == "@p1 ack 1");  // the tail may be on its way
  bridge.wait(250ms);
  CHECK(bridge.answers() == "@p1 replay 2-3");
  CHECK(bridge.presence() == "p1:gone");
  CHECK(bridge.stream() == "1");
  SUBCASE("by a producer that lingers, which answers") {
    bridge.publish_all("p1", 2, 3);
    CHECK(bridge.stream() == "2 3");
    CHECK(bridge.answers() == "@p1 ack 3");
    CHECK(bridge.presence() == "unchanged");
  }
  SUBCASE("again every second, then it is a loss") {
    bridge.wait(1s);
    CHECK(bridge.answers() == "@p1 replay 2-3");
    bridge.wait(58'700ms);
    CHECK(bridge.stream() == "nothing");
    bridge.wait(100ms);
    CHECK(bridge.stream() == "lost:2-3");
    CHECK(bridge.presence() == "unchanged");
    CHECK(bridge.marks() == "p1/1000:3");
  }
  SUBCASE("not of a peer that is known to be gone") {
    bridge.wait(1s);
    CHECK(bridge.undelivered(true) == "@p1 replay 2-3");
    bridge.wait(5s);
    CHECK(bridge.answers() == "nothing");
    bridge.beat("p1", 1, 3);
    CHECK(bridge.answers().find("@p1 welcome 1") == 0);
  }
}

TEST_CASE("a loss is told until it has got through") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  bridge.publish("p1", 4);
  bridge.answers();
  bridge.gone("p1", 2, 3);
  bridge.wait(10ms);
  SUBCASE("an ack that met a full queue is said again at the next word") {
    CHECK(bridge.undelivered(false) == "@p1 ack 4 lost 2-3");
    bridge.wait(1s);
    CHECK(bridge.answers() == "nothing");
    bridge.beat("p1", 5, 4);
    CHECK(bridge.answers() == "@p1 ack 4 lost 2-3");
  }
  SUBCASE("an ack that met nobody is said before the welcome of the next connection") {
    CHECK(bridge.undelivered(true) == "@p1 ack 4 lost 2-3");
    bridge.hello("p1", 2, 4, 1, kEpoch, "@again");
    CHECK(bridge.answers() == "@again ack 4 lost 2-3, @again welcome 4");
  }
  SUBCASE("an ack that died with its connection: the hello says what was heard") {
    CHECK(bridge.answers() == "@p1 ack 4 lost 2-3");
    bridge.hello("p1", 2, 4, 1, kEpoch, "@again");
    CHECK(bridge.answers() == "@again ack 4 lost 2-3, @again welcome 4");
    bridge.wait(1s);
    bridge.hello("p1", 5, 4, 4, kEpoch, "@third");
    CHECK(bridge.answers() == "@third welcome 4");
  }
  SUBCASE("and to an epoch that was superseded meanwhile and came back") {
    CHECK(bridge.undelivered(true) == "@p1 ack 4 lost 2-3");
    bridge.wait(5s);
    bridge.hello("p1", 1, 0, 0, 2'000, "@other");
    bridge.wait(5s);
    bridge.answers();
    bridge.hello("p1", 2, 4, 1);
    CHECK(bridge.answers() == "@p1 ack 4 lost 2-3, @p1 welcome 4");
  }
}

TEST_CASE("while nothing is kept, a welcome promises no more than was acked") {
  auto bridge = with_p1();
  bridge.publish("p1", 1);
  CHECK(bridge.answers() == "@p1 ack 1");
  bridge.publish_all("p1", 2, 3);
  bridge.hello("p1", 1, 3, 1, kEpoch, "@again");
  CHECK(bridge.answers_degraded() == "welcome 1");
  bridge.wait(10ms);
  bridge.hello("p1", 1, 3, 1, kEpoch, "@third");
  CHECK(bridge.answers() == "@third welcome 3, @third ack 3");
}

TEST_CASE("what a producer misses is kept over a restart of the bridge, and ends as a gap") {
  auto before = with_p1();
  before.publish("p1", 1);
  before.publish("p1", 4);
  CHECK(before.marks() == "p1/1000:1-4");
  before.beat("p1", 1, 6);
  CHECK(before.marks() == "p1/1000:1-6");
  ProducersFixture bridge;
  bridge.restore_from(before);
  SUBCASE("when the producer stays away") {
    bridge.wait(59'950ms);
    CHECK(bridge.stream() == "nothing");
    bridge.wait(50ms);
    CHECK(bridge.stream() == "lost:2-6");
    CHECK(bridge.marks() == "p1/1000:6");  // what follows must not come twice after the next restart
  }
  SUBCASE("when another epoch takes its place") {
    bridge.hello("p1", 1, 0, 0, 2'000);
    CHECK(bridge.stream() == "lost:2-6");
    CHECK(bridge.marks() == "p1/1000:6 old p1/2000:0");
  }
  SUBCASE("but not when it comes back") {
    bridge.hello("p1", 2, 6, 1);
    CHECK(bridge.answers() == "@p1 welcome 1");
    bridge.publish_all("p1", 2, 6);
    CHECK(bridge.stream() == "2 3 4 5 6");
  }
}

TEST_CASE("superseded epochs are known after a restart of the bridge") {
  auto before = with_p1();
  before.publish_all("p1", 1, 3);
  before.bye("p1", 3);
  before.hello("p1", 1, 0, 0, 2'000);
  CHECK(before.marks() == "p1/1000:3 old p1/2000:0");
  ProducersFixture bridge;
  bridge.restore_from(before);
  SUBCASE("late events of theirs are not taken as new") {
    bridge.publish("p1", 4);
    CHECK(bridge.rejected(Reject::old_epoch) == 1);
  }
  SUBCASE("one that comes back goes on where it was: nothing enters the stream twice") {
    bridge.hello("p1", 1, 4, 0);
    CHECK(bridge.answers() == "@p1 welcome 3");
    bridge.publish_all("p1", 1, 4);
    CHECK(bridge.stream() == "4");
    CHECK(bridge.marks() == "p1/2000:0 old p1/1000:4");
  }
}

TEST_CASE("endless epochs and ids leave nothing behind: what is forgotten leaves the stream's books too") {
  ProducerLimits limits;
  limits.producers = 1;
  ProducersFixture bridge(limits);
  for (std::uint64_t epoch = 1; epoch <= 12; ++epoch) {
    bridge.hello("p1", 1, 0, 0, epoch);
    bridge.wait(5s);
  }
  const auto marks = bridge.marks();
  CHECK(marks.find("p1/3 forgotten") != std::string::npos);
  CHECK(marks.find("p1/4 forgotten") == std::string::npos);
  bridge.hello("p2", 1, 0);
  CHECK(bridge.marks() ==
        "p1/12 forgotten p1/4 forgotten p1/5 forgotten p1/6 forgotten p1/7 forgotten p1/8 forgotten "
        "p1/9 forgotten p1/10 forgotten p1/11 forgotten p2/1000:0");
}

TEST_CASE("words of a producer that has not said hello, and refused hellos, are counted") {
  ProducersFixture bridge;
  bridge.gone("p1", 1, 5);
  bridge.bye("p1", 5);
  CHECK(bridge.rejected(Reject::unknown_producer) == 2);
  CHECK(bridge.known() == 0);
  bridge.hello("p1", 1, 0);
  bridge.hello("p1", 1, 0, 0, 2'000, "@twin");
  CHECK(bridge.rejected(Reject::hello_refused) == 1);
  bridge.hello("p2", 20'000'000, 20'000'000, 0);  // nobody has seen that many
  CHECK(bridge.rejected(Reject::seq_range) == 1);
  bridge.hello("p2", 20'000'000, 20'000'000, 19'999'999);
  CHECK(bridge.known() == 2);
}
