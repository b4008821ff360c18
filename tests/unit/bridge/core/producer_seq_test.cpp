#include "bridge/core/producer_seq.h"

#include <doctest/doctest.h>

#include "fixtures.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

/// One life of one producer, whose events say their own seq.
class Life {
 public:
  explicit Life(Seq have = 0, RepairLimits limits = {}) : seq_("p", have, limits, held_) {}

  /// What came out, or why it was refused.
  std::string offer(Seq seq, std::size_t size = 0) {
    auto payload = std::to_string(seq);
    if (size > payload.size()) payload.resize(size, '.');
    const auto why = seq_.offer(seq, event_of(std::move(payload)), at(now_), ready_);
    return why == Reject::none ? take_text(ready_) : std::string(name_of(why));
  }
  std::string offer_all(Seq from, Seq to) {
    std::string last;
    for (auto seq = from; seq <= to; ++seq) last = offer(seq);
    return last;
  }
  std::string holds(Seq first, Seq last) {
    const auto why = seq_.holds(first, last, at(now_), ready_);
    return why == Reject::none ? take_text(ready_) : std::string(name_of(why));
  }
  std::string give_up(Seq to) {
    seq_.give_up(to, at(now_), ready_);
    return take_text(ready_);
  }
  std::string gone(Seq to) {
    seq_.no_longer_held_known(to, at(now_), ready_);
    return take_text(ready_);
  }
  std::string settle() {
    seq_.settle(at(now_), ready_);
    return take_text(ready_);
  }
  std::string give_up_all() {
    seq_.give_up_all(at(now_), ready_);
    return take_text(ready_);
  }
  /// The replay that is due.
  std::string asks() {
    const auto range = seq_.replay_due(at(now_));
    return range ? range_text(range->first, range->second) : "nothing";
  }
  std::string lost() {
    std::string text;
    for (const auto& [from, to] : seq_.lost().tell()) add_word(text, range_text(from, to));
    return text;
  }
  void wait(milliseconds time) { now_ += time; }
  ProducerSeq& seq() { return seq_; }
  const HeldTotal& held() const { return held_; }

 private:
  HeldTotal held_;
  ProducerSeq seq_;
  Ready ready_;
  milliseconds now_{0};
};

RepairLimits small_hold(std::size_t events, std::size_t bytes = 1'000) {
  RepairLimits limits;
  limits.hold_events = events;
  limits.hold_bytes = bytes;
  return limits;
}

}  // namespace

TEST_CASE("events in order pass at once") {
  Life life;
  CHECK(life.offer(1) == "1");
  CHECK(life.offer(2) == "2");
  CHECK(life.seq().have() == 2);
  CHECK_FALSE(life.seq().has_hole());
  CHECK(life.asks() == "nothing");
}

TEST_CASE("what comes after a hole is held until the hole is filled") {
  Life life;
  CHECK(life.offer(1) == "1");
  CHECK(life.offer(4) == "nothing");
  CHECK(life.offer(3) == "nothing");
  CHECK(life.seq().has_hole());
  CHECK(life.offer(2) == "2 3 4");
  CHECK(life.seq().have() == 4);
  CHECK_FALSE(life.seq().has_hole());
  CHECK_FALSE(life.seq().lost().has_news());
  CHECK(life.held().cost == 0);
}

TEST_CASE("what the bridge has, or holds already, counts as backwards and comes out once only") {
  Life life(10);
  CHECK(life.offer(10) == "seq_backwards");
  CHECK(life.offer(3) == "seq_backwards");
  CHECK(life.offer(13) == "nothing");
  CHECK(life.offer(13) == "seq_backwards");
  CHECK(life.offer_all(11, 12) == "12 13");
  CHECK(life.offer(13) == "seq_backwards");
}

TEST_CASE("no seq runs more than ten million ahead of what was seen") {
  Life life;
  CHECK(life.offer(1) == "1");
  CHECK(life.offer(10'000'002) == "seq_range");
  CHECK(life.holds(1, 10'000'002) == "seq_range");
  CHECK_FALSE(life.seq().has_hole());
  CHECK(life.offer(10'000'001) == "nothing");
  CHECK(life.offer(20'000'001) == "nothing");
}

TEST_CASE("a full hold drops its newest events, which are asked for again later") {
  SUBCASE("by number") {
    Life life(0, small_hold(3));
    life.offer_all(2, 4);
    CHECK(life.offer(5) == "nothing");  // the newest itself is the one that goes
    CHECK(life.offer(1) == "1 2 3 4");
    CHECK(life.asks() == "5");
  }
  SUBCASE("an older event takes the newest one's place") {
    Life life(0, small_hold(3));
    CHECK(life.offer(6) == "nothing");
    CHECK(life.offer(5) == "nothing");
    CHECK(life.offer(4) == "nothing");
    CHECK(life.offer(2) == "nothing");
    CHECK(life.offer(6) == "nothing");  // was dropped, so it is not a duplicate; and is dropped again
    CHECK(life.offer(1) == "1 2");
    CHECK(life.offer(3) == "3 4 5");
    CHECK(life.asks() == "6");
  }
  SUBCASE("by bytes, as many as it takes") {
    Life life(0, small_hold(100, 100));
    life.offer(5, 40);
    life.offer(6, 40);
    CHECK(life.offer(3, 90) == "nothing");
    CHECK(life.give_up(2) == "lost:1-2 3" + std::string(89, '.'));
    CHECK(life.asks() == "4-6");
  }
  SUBCASE("an empty hold takes one event of any size") {
    Life life(0, small_hold(100, 100));
    CHECK(life.offer(2, 5'000) == "nothing");
    CHECK(life.offer(1) == "1 2" + std::string(4'999, '.'));
  }
}

TEST_CASE("what all producers hold together is bounded too, whatever each of them may hold") {
  RepairLimits limits;
  limits.held_cost = 3 * (HeldTotal::kEventCost + 1);
  HeldTotal held;
  ProducerSeq greedy("greedy", 0, limits, held);
  ProducerSeq other("other", 0, limits, held);
  Ready ready;
  for (Seq seq = 2; seq <= 5; ++seq) greedy.offer(seq, event_of(std::to_string(seq)), at(0ms), ready);
  CHECK(held.cost == limits.held_cost);
  CHECK(held.dropped == 1);
  other.offer(2, event_of("b"), at(0ms), ready);  // no room, so it is to be asked for
  CHECK(held.dropped == 2);
  CHECK(other.replay_due(at(0ms)) == SeqRange{1, 2});
  other.offer(1, event_of("a"), at(0ms), ready);  // what needs no hold is not held up
  CHECK(take_text(ready) == "a");
  CHECK(other.replay_due(at(1s)) == SeqRange{2, 2});
  greedy.give_up_all(at(0ms), ready);
  CHECK(take_text(ready) == "lost:1 2 3 4 lost:5");
  CHECK(held.cost == 0);
}

TEST_CASE("what is given up is named, and what waited behind it is released") {
  Life life;
  life.offer(1);
  life.offer(4);
  life.offer(7);
  SUBCASE("up to a point") {
    CHECK(life.give_up(2) == "lost:2");
    CHECK(life.give_up(3) == "lost:3 4");
    CHECK(life.lost() == "2-3");
    CHECK(life.lost() == "");
  }
  SUBCASE("everything known to be missing") {
    CHECK(life.give_up_all() == "lost:2-3 4 lost:5-6 7");
    CHECK(life.lost() == "2-3 5-6");
    CHECK(life.seq().have() == 7);
  }
  SUBCASE("never beyond what is known to exist") {
    CHECK(life.gone(1'000'000) == "lost:2-3 4 lost:5-6 7");
    CHECK(life.offer(8) == "8");
  }
  SUBCASE("a point the bridge has passed already changes nothing") { CHECK(life.give_up(1) == "nothing"); }
  SUBCASE("what comes after all is too late") {
    life.give_up(3);
    CHECK(life.offer(2) == "seq_backwards");
  }
}

TEST_CASE("a range is lost when the producer no longer holds it") {
  Life life;
  life.offer(1);
  life.offer(5);
  CHECK(life.holds(3, 5) == "lost:2");
  CHECK(life.offer_all(3, 4) == "4 5");
  CHECK(life.holds(9, 8) == "nothing");  // it holds nothing, and has made 8: that may be on its way
  CHECK(life.offer(9) == "lost:6-8 9");  // and is not
}

TEST_CASE("what is no longer held may be on its way: the bridge was stopped, and reads the beat first") {
  Life life;
  life.offer(1);
  CHECK(life.holds(6, 9) == "nothing");
  life.wait(199ms);
  CHECK(life.settle() == "nothing");
  SUBCASE("nothing has come for 200 ms: it is lost, as one range, and the rest is asked for") {
    CHECK(life.asks() == "nothing");
    life.wait(1ms);
    CHECK(life.settle() == "lost:2-5");
    life.wait(200ms);
    CHECK(life.asks() == "6-9");
    CHECK(life.settle() == "nothing");
  }
  SUBCASE("what comes is taken, and puts the loss off") {
    CHECK(life.offer(2) == "2");
    life.wait(199ms);
    CHECK(life.settle() == "nothing");
    life.wait(1ms);
    CHECK(life.settle() == "lost:3-5");
  }
  SUBCASE("what comes from behind it ends the wait") {
    CHECK(life.offer(4) == "lost:2-3 4");
    CHECK(life.offer(8) == "lost:5");
    CHECK(life.asks() == "6-7");
  }
  SUBCASE("the producer says so of what was asked for") {
    CHECK(life.offer(8) == "lost:2-5");
    CHECK(life.asks() == "6-7");
    CHECK(life.gone(7) == "lost:6-7 8");
  }
}

TEST_CASE("a hole is asked for at once, and again after a second without progress") {
  Life life;
  life.offer(5);
  CHECK(life.asks() == "1-4");
  CHECK(life.asks() == "nothing");
  life.wait(999ms);
  CHECK(life.asks() == "nothing");
  life.wait(1ms);
  CHECK(life.asks() == "1-4");
  SUBCASE("progress puts the question off") {
    life.wait(600ms);
    life.offer(1);
    life.wait(600ms);
    CHECK(life.asks() == "nothing");
    life.wait(400ms);
    CHECK(life.asks() == "2-4");
  }
  SUBCASE("the next hole is asked for as soon as the first is closed") {
    life.offer(8);
    CHECK(life.asks() == "nothing");
    life.offer_all(1, 4);
    CHECK(life.asks() == "6-7");
  }
}

TEST_CASE("a replay asks for one chunk at a time") {
  RepairLimits limits;
  limits.chunk = 10;
  Life life(0, limits);
  life.offer(26);
  CHECK(life.asks() == "1-10");
  life.offer_all(1, 9);
  CHECK(life.asks() == "nothing");
  life.offer(10);
  CHECK(life.asks() == "11-20");
  life.offer_all(11, 20);
  CHECK(life.asks() == "21-25");
  life.offer_all(21, 25);
  CHECK(life.asks() == "nothing");
  CHECK(life.seq().have() == 26);
}

TEST_CASE("a long tail is asked for chunk after chunk, without a pause") {
  RepairLimits limits;
  limits.chunk = 10;
  Life life(0, limits);
  life.holds(1, 25);
  life.wait(200ms);
  CHECK(life.asks() == "1-10");
  life.offer_all(1, 10);
  CHECK(life.asks() == "11-20");
  life.offer_all(11, 20);
  CHECK(life.asks() == "21-25");
}

TEST_CASE("a beat can overtake the events it speaks of: the tail gets 200 ms") {
  Life life;
  life.offer_all(1, 2);
  CHECK(life.holds(1, 4) == "nothing");
  CHECK(life.asks() == "nothing");
  life.wait(199ms);
  CHECK(life.asks() == "nothing");
  SUBCASE("and is asked for when it still is missing then") {
    life.wait(1ms);
    CHECK(life.asks() == "3-4");
  }
  SUBCASE("and is not when it has come") {
    life.offer_all(3, 4);
    life.wait(1ms);
    CHECK(life.asks() == "nothing");
  }
  SUBCASE("and is not while events flow: it comes behind them") {
    life.offer(3);
    life.wait(199ms);
    CHECK(life.asks() == "nothing");
    life.wait(1ms);
    CHECK(life.asks() == "4");
  }
  SUBCASE("a hole in the middle is certain and needs no grace") {
    life.offer(4);
    CHECK(life.asks() == "3");
  }
}
