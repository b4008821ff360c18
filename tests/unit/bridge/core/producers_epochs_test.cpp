#include <doctest/doctest.h>

#include "producers_fixture.h"

using namespace trestle;

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

TEST_CASE(
    "after a restart of the bridge who said bye is gone, and who did not is lost once it stays silent") {
  auto before = with_p1();
  before.publish("p1", 1);
  CHECK(before.marks() == "p1/1000:1");
  before.bye("p1", 1);
  before.hello("p2", 1, 0);
  CHECK(before.marks() == "p1/1000:1 left p2/1000:0");
  ProducersFixture bridge;
  bridge.restore_from(before);
  CHECK(bridge.info("p1").presence == Presence::gone);
  CHECK(bridge.info("p1").silent == std::nullopt);
  bridge.wait(4'950ms);
  CHECK(bridge.presence() == "unchanged");
  bridge.wait(50ms);
  CHECK(bridge.presence() == "p2:lost");
  bridge.publish("p1", 2);
  CHECK(bridge.info("p1").silent == 0ms);
  CHECK(bridge.marks() == "p1/1000:2 left");
  bridge.hello("p1", 2, 2, 1);
  CHECK(bridge.presence() == "p1:online");
  CHECK(bridge.marks() == "p1/1000:2");
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
