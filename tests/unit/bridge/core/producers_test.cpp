#include <doctest/doctest.h>

#include "producers_fixture.h"

using namespace trestle;

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
    CHECK(bridge.marks() == "p1/1000:3 left");
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
