#include "clients/cpp/src/bridge_state.h"

#include <doctest/doctest.h>

using namespace trestle;
using client::BridgeState;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

FromBridge welcome(Seq seq) {
  FromBridge message;
  message.kind = FromBridge::Kind::welcome;
  message.seq = seq;
  return message;
}

FromBridge ack(Seq seq, std::vector<std::pair<Seq, Seq>> lost = {}) {
  FromBridge message;
  message.kind = FromBridge::Kind::ack;
  message.seq = seq;
  message.lost = std::move(lost);
  return message;
}

FromBridge replay(Seq from, Seq to) {
  FromBridge message;
  message.kind = FromBridge::Kind::replay;
  message.from = from;
  message.to = to;
  return message;
}

FromBridge refused(const std::string& reason) {
  FromBridge message;
  message.kind = FromBridge::Kind::refused;
  message.reason = reason;
  return message;
}

struct Bridge {
  client::TimePoint now{};
  BridgeState state{"tcp://b", {seconds(30), seconds(6)}, now};

  BridgeState::Effect on(const FromBridge& message, Seq last = 1000) { return state.on(message, last, now); }
  std::string next() const {
    const client::Range* range = state.replay();
    return range ? std::to_string(range->first) + "-" + std::to_string(range->second) : "nothing";
  }
};

}  // namespace

TEST_CASE("a bridge's welcome") {
  Bridge bridge;
  CHECK(bridge.state.should_greet(bridge.now));
  const auto first = bridge.on(welcome(5));
  CHECK(first.joined == 5);
  CHECK(bridge.state.acked() == 5);
  CHECK_FALSE(bridge.state.should_greet(bridge.now));
  SUBCASE("joins once per connection") {
    CHECK_FALSE(bridge.on(welcome(6)).joined);
    bridge.state.disconnected();
    CHECK(bridge.state.should_greet(bridge.now));
    CHECK(bridge.on(welcome(6)).joined == 6);
  }
  SUBCASE("may know less than before: it lost its memory") {
    bridge.on(ack(9));
    bridge.on(welcome(3));
    CHECK(bridge.state.acked() == 3);
  }
  SUBCASE("can't know of events not made yet") {
    bridge.on(welcome(5000), 7);
    CHECK(bridge.state.acked() == 7);
  }
}

TEST_CASE("a bridge's ack") {
  Bridge bridge;
  bridge.on(welcome(0));
  SUBCASE("never takes back an earlier one") {
    bridge.on(ack(9));
    bridge.on(ack(4));
    CHECK(bridge.state.acked() == 9);
  }
  SUBCASE("names what was given up, nonsense left out") {
    const auto effect = bridge.on(ack(9, {{3, 4}, {0, 1}, {8, 7}, {9, 5000}}));
    CHECK(effect.lost == std::vector<client::Range>{{3, 4}});
  }
  SUBCASE("names a loss again, which counts once") {
    CHECK(bridge.on(ack(6, {{3, 4}})).lost == std::vector<client::Range>{{3, 4}});
    CHECK(bridge.on(ack(9, {{3, 4}, {6, 7}, {9, 9}})).lost == std::vector<client::Range>{{7, 7}, {9, 9}});
    CHECK(bridge.on(ack(9, {{3, 9}})).lost.empty());
  }
  SUBCASE("makes asked-for replays needless") {
    bridge.on(replay(2, 10));
    bridge.on(ack(4));
    CHECK(bridge.next() == "5-10");
    bridge.on(ack(10));
    CHECK(bridge.next() == "nothing");
  }
}

TEST_CASE("a bridge's replay request") {
  Bridge bridge;
  bridge.on(welcome(0));
  SUBCASE("is answered part by part, in turn") {
    bridge.on(replay(2, 4));
    bridge.on(replay(8, 9));
    CHECK(bridge.next() == "2-4");
    bridge.state.answered(3);
    CHECK(bridge.next() == "4-4");
    bridge.state.answered(4);
    CHECK(bridge.next() == "8-9");
  }
  SUBCASE("is cut to what exists") {
    bridge.on(replay(0, 5000), 7);
    CHECK(bridge.next() == "1-7");
    bridge.state.answered(7);
    bridge.on(replay(8, 9), 7);
    CHECK(bridge.next() == "nothing");
  }
  SUBCASE("asked twice is answered once") {
    bridge.on(replay(2, 4));
    bridge.on(replay(3, 4));
    bridge.state.answered(4);
    CHECK(bridge.next() == "nothing");
  }
  SUBCASE("is bounded in number") {
    for (Seq seq = 1; seq <= 1000; seq += 2) bridge.on(replay(seq, seq));
    std::size_t answered = 0;
    for (; bridge.state.replay() != nullptr; ++answered) bridge.state.answered(bridge.state.replay()->first);
    CHECK(answered == BridgeState::kMaxReplays);
  }
  SUBCASE("dies with its connection") {
    bridge.on(replay(2, 4));
    bridge.state.disconnected();
    CHECK(bridge.next() == "nothing");
  }
}

TEST_CASE("a silent bridge is not waited for until its next welcome") {
  Bridge bridge;
  bridge.on(welcome(0));
  bridge.now += seconds(11);
  CHECK(bridge.state.should_greet(bridge.now));  // it is asked for a sign of life
  CHECK(bridge.state.report(bridge.now).required);
  bridge.now += seconds(20);
  CHECK_FALSE(bridge.state.report(bridge.now).required);
  CHECK_FALSE(bridge.state.report(bridge.now).answering);
  bridge.on(ack(1));
  CHECK_FALSE(bridge.state.report(bridge.now).required);
  bridge.on(welcome(1));
  CHECK(bridge.state.report(bridge.now).required);
}

TEST_CASE("a refusal") {
  Bridge bridge;
  SUBCASE("counts at once") {
    bridge.on(refused("not_allowed"));
    CHECK(bridge.state.report(bridge.now).refusal.find("not_allowed") != std::string::npos);
  }
  SUBCASE("in_use gives a killed predecessor time to be noticed") {
    bridge.on(refused("in_use"));
    CHECK(bridge.state.report(bridge.now).refusal.empty());
    bridge.now += seconds(5);
    bridge.on(refused("in_use"));
    CHECK(bridge.state.report(bridge.now).refusal.empty());
    bridge.now += seconds(2);
    CHECK(bridge.state.report(bridge.now).refusal.find("choose a different one") != std::string::npos);
  }
  SUBCASE("ends with a welcome") {
    bridge.on(refused("not_allowed"));
    CHECK(bridge.state.should_greet(bridge.now));
    bridge.on(welcome(0));
    CHECK(bridge.state.report(bridge.now).refusal.empty());
  }
}
