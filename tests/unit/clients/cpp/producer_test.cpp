#include "trestle/producer.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <map>

#include "tests/unit/clients/cpp/fake_bridge.h"

using namespace trestle;
using namespace std::chrono_literals;
using test::Behaviour;
using test::eventually;
using test::FakeBridge;
using Kind = FromProducer::Kind;

namespace {

ProducerOptions options_for(std::vector<BridgeAddress> bridges) {
  ProducerOptions options;
  options.id = "p1";
  options.bridges = std::move(bridges);
  options.beat = 50ms;
  return options;
}

ProducerOptions options_for(const FakeBridge& bridge) { return options_for({bridge.address()}); }

std::string event(std::size_t n) { return R"({"type":"t","n":)" + std::to_string(n) + "}"; }

void publish(Producer& producer, std::size_t count) {
  for (std::size_t n = 1; n <= count; ++n) producer.publish(event(n));
}

/// "1-7", or where the stream breaks: "1-3 5".
std::string seqs(const FakeBridge& bridge) {
  std::string out;
  Seq start = 0, last = 0;
  const auto close = [&] {
    if (last != 0)
      out +=
          (out.empty() ? "" : " ") + std::to_string(start) + (last > start ? "-" + std::to_string(last) : "");
  };
  for (const auto& received : bridge.stream()) {
    if (received.stamp.seq != last + 1 || last == 0) {
      close();
      start = received.stamp.seq;
    }
    last = received.stamp.seq;
  }
  close();
  return out;
}

}  // namespace

TEST_CASE("events are numbered from 1 and arrive as they were") {
  FakeBridge bridge;
  const auto before = std::chrono::system_clock::now();
  Producer producer(options_for(bridge));
  CHECK(producer.publish(event(1)) == 1);
  CHECK(producer.publish("t.key", event(2)) == 2);
  CHECK(producer.flush(5s).complete);
  const auto stream = bridge.stream();
  REQUIRE(stream.size() == 2);
  CHECK(stream[0].topic == "");
  CHECK(stream[1].topic == "t.key");
  CHECK(stream[1].payload == event(2));
  CHECK(stream[1].producer == "p1");
  CHECK(stream[0].stamp.epoch == stream[1].stamp.epoch);
  CHECK(stream[0].stamp.time <= stream[1].stamp.time);
  const Micros earliest =
      std::chrono::duration_cast<std::chrono::microseconds>(before.time_since_epoch()).count();
  CHECK(static_cast<Micros>(stream[0].stamp.epoch) >= earliest);
  CHECK(stream[0].stamp.time >= static_cast<Micros>(stream[0].stamp.epoch));
}

TEST_CASE("a producer that publishes at once loses nothing, twenty times in a row") {
  for (int round = 0; round < 20; ++round) {
    FakeBridge bridge;
    bridge.set([](Behaviour& b) { b.repairs = false; });  // so that nothing but waiting can help
    Producer producer(options_for(bridge));
    publish(producer, 50);
    REQUIRE(producer.flush(5s).complete);
    REQUIRE(seqs(bridge) == "1-50");
  }
}

TEST_CASE("what the event socket loses comes by replay") {
  FakeBridge bridge;
  bridge.set([](Behaviour& b) { b.loses = [](Seq seq) { return seq % 3 == 0 || seq > 900; }; });
  Producer producer(options_for(bridge));
  publish(producer, 1000);
  CHECK(producer.flush(30s).complete);
  CHECK(seqs(bridge) == "1-1000");
  CHECK(bridge.replayed() > 300);
}

TEST_CASE("what has left the buffer is answered with gone, the rest with the events") {
  FakeBridge bridge;
  bridge.set([](Behaviour& b) {
    b.loses = [](Seq) { return true; };
    b.repairs = false;
  });
  ProducerOptions options = options_for(bridge);
  options.buffer_events = 10;
  options.when_full = WhenFull::drop_oldest;
  Producer producer(options);
  publish(producer, 30);
  CHECK_FALSE(producer.flush(300ms).complete);
  bridge.set([](Behaviour& b) { b.repairs = true; });
  const Flushed flushed = producer.flush(10s);
  CHECK(flushed.complete);
  CHECK(flushed.lost == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 20}});
  CHECK(seqs(bridge) == "21-30");
  const auto gone = bridge.heard(Kind::gone);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].from == 1);
  CHECK(gone[0].to == 20);
  CHECK(producer.flush(1s).lost.empty());  // reported once
}

TEST_CASE("a full buffer") {
  FakeBridge bridge;
  bridge.set([](Behaviour& b) { b.acks = false; });
  ProducerOptions options = options_for(bridge);
  options.buffer_events = 5;
  SUBCASE("blocks until acks make room") {
    Producer producer(options);
    publish(producer, 5);
    auto sixth = std::async(std::launch::async, [&] { return producer.publish(event(6)); });
    CHECK(sixth.wait_for(200ms) == std::future_status::timeout);
    bridge.set([](Behaviour& b) { b.acks = true; });
    REQUIRE(sixth.wait_for(5s) == std::future_status::ready);
    CHECK(sixth.get() == 6);
  }
  SUBCASE("fails if so wished, and counts nothing") {
    options.when_full = WhenFull::fail;
    Producer producer(options);
    publish(producer, 5);
    CHECK_THROWS_AS(producer.publish(event(6)), BufferFull);
    bridge.set([](Behaviour& b) { b.acks = true; });
    REQUIRE(producer.flush(5s).complete);
    CHECK(producer.publish(event(6)) == 6);
  }
  SUBCASE("is measured in bytes too") {
    options.when_full = WhenFull::fail;
    options.buffer_bytes = 2 * event(1).size();
    Producer producer(options);
    publish(producer, 2);
    CHECK_THROWS_AS(producer.publish(event(3)), BufferFull);
    CHECK_THROWS_AS(producer.publish(std::string(options.buffer_bytes + 1, ' ')), std::invalid_argument);
    CHECK_THROWS_AS(producer.publish(std::string(options.max_event + 1, ' ')), std::invalid_argument);
  }
}

TEST_CASE("flush says what is missing") {
  SUBCASE("nothing, if nothing was published") {
    Producer producer(options_for({BridgeAddress{"tcp://127.0.0.1:1", "tcp://127.0.0.1:1"}}));
    CHECK(producer.flush(0ms).complete);
  }
  SUBCASE("a bridge that is not there") {
    Producer producer(options_for({BridgeAddress{"tcp://127.0.0.1:1", "tcp://127.0.0.1:1"}}));
    producer.publish(event(1));
    const Flushed flushed = producer.flush(200ms);
    CHECK_FALSE(flushed.complete);
    CHECK(flushed.why == "no answer from the bridge at tcp://127.0.0.1:1");
    CHECK_FALSE(producer.connected());
  }
  SUBCASE("a bridge that does not ack") {
    FakeBridge bridge;
    bridge.set([](Behaviour& b) { b.acks = false; });
    Producer producer(options_for(bridge));
    publish(producer, 3);
    const Flushed flushed = producer.flush(300ms);
    CHECK_FALSE(flushed.complete);
    CHECK(flushed.why == "the bridge at " + bridge.address().control + " has acked 0 of 3");
    CHECK(producer.connected());
  }
}

TEST_CASE("two bridges each get everything") {
  FakeBridge one, two;
  two.set([](Behaviour& b) { b.loses = [](Seq seq) { return seq % 2 == 0; }; });
  Producer producer(options_for({one.address(), two.address()}));
  publish(producer, 200);
  CHECK(producer.flush(20s).complete);
  CHECK(seqs(one) == "1-200");
  CHECK(seqs(two) == "1-200");
  CHECK(two.replayed() >= 100);  // there is no other way for what it loses
}

TEST_CASE("a bridge silent for long is not waited for, and is caught up when it is back") {
  FakeBridge one, two;
  ProducerOptions options = options_for({one.address(), two.address()});
  options.silence = 600ms;
  Producer producer(options);
  publish(producer, 10);
  REQUIRE(producer.flush(5s).complete);
  two.stop();
  publish(producer, 10);
  CHECK_FALSE(producer.flush(100ms).complete);  // still waited for
  CHECK(producer.flush(5s).complete);           // no longer
  two.start();
  // What the first bridge has acked is forgotten by now; the second is told so instead of being left in the
  // dark.
  CHECK(eventually([&] { return !two.heard(Kind::gone).empty(); }));
  publish(producer, 10);
  CHECK(producer.flush(5s).complete);
  CHECK(eventually([&] { return seqs(two) == "1-10 21-30"; }));
  CHECK(seqs(one) == "1-30");
}

TEST_CASE("with no bridge at all everything is kept") {
  FakeBridge bridge;
  bridge.stop();
  ProducerOptions options = options_for(bridge);
  options.silence = 200ms;
  Producer producer(options);
  publish(producer, 10);
  CHECK_FALSE(producer.flush(600ms).complete);
  bridge.start();
  CHECK(producer.flush(10s).complete);
  CHECK(seqs(bridge) == "1-10");
}

TEST_CASE("a bridge that restarts") {
  FakeBridge bridge;
  Producer producer(options_for(bridge));
  publish(producer, 100);
  REQUIRE(producer.flush(5s).complete);
  bridge.stop();
  SUBCASE("with its memory goes on where it was, without having to ask") {
    bridge.set([](Behaviour& b) { b.repairs = false; });
    publish(producer, 100);
    bridge.start();
    CHECK(producer.flush(10s).complete);
    CHECK(seqs(bridge) == "1-200");
  }
  SUBCASE("without its memory learns from hello what it need not ask for") {
    bridge.forget();
    publish(producer, 100);
    bridge.start();
    CHECK(producer.flush(10s).complete);
    CHECK(seqs(bridge) == "1-200");
    CHECK(bridge.heard(Kind::hello).back().acked == 100);
    CHECK(bridge.heard(Kind::gone).empty());
  }
}

TEST_CASE("beats name what is held") {
  FakeBridge bridge;
  Producer producer(options_for(bridge));
  CHECK(eventually([&] { return !bridge.heard(Kind::hello).empty(); }));
  CHECK(bridge.heard(Kind::hello)[0].first == 1);
  CHECK(bridge.heard(Kind::hello)[0].last == 0);
  publish(producer, 7);
  REQUIRE(producer.flush(5s).complete);
  CHECK(eventually([&] {
    const auto beats = bridge.heard(Kind::beat);
    return !beats.empty() && beats.back().first == 8 && beats.back().last == 7;
  }));
}

TEST_CASE("a refusal reaches the caller") {
  FakeBridge bridge;
  ProducerOptions options = options_for(bridge);
  options.takeover = 300ms;
  SUBCASE("at once") {
    bridge.set([](Behaviour& b) { b.refuses = "not_allowed"; });
    Producer producer(options);
    producer.publish(event(1));
    CHECK_THROWS_AS(producer.flush(5s), Refused);
    CHECK_THROWS_WITH_AS(producer.publish(event(2)), doctest::Contains("not_allowed"), Refused);
  }
  SUBCASE("after a while, for an id in use") {
    bridge.set([](Behaviour& b) { b.refuses = "in_use"; });
    Producer producer(options);
    producer.publish(event(1));
    CHECK_FALSE(producer.flush(150ms).complete);
    CHECK_THROWS_AS(producer.flush(5s), Refused);
  }
  SUBCASE("not at all if the predecessor goes in time") {
    options.takeover = 5s;
    bridge.set([](Behaviour& b) { b.refuses = "in_use"; });
    Producer producer(options);
    producer.publish(event(1));
    std::this_thread::sleep_for(200ms);
    bridge.set([](Behaviour& b) { b.refuses = ""; });
    CHECK(producer.flush(5s).complete);
    CHECK(seqs(bridge) == "1");
  }
  SUBCASE("and wakes one who is blocked") {
    options.buffer_events = 1;
    bridge.set([](Behaviour& b) { b.refuses = "not_allowed"; });
    Producer producer(options);
    CHECK_THROWS_AS(publish(producer, 100), Refused);
  }
}

TEST_CASE("four threads publish at once: every event once, each thread's in order") {
  constexpr std::size_t kEach = 20'000;
  FakeBridge bridge;
  ProducerOptions options = options_for(bridge);
  options.buffer_events = 1'000;
  Producer producer(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&producer, t] {
      for (std::size_t n = 1; n <= kEach; ++n) {
        producer.publish(R"({"type":"t","thread":)" + std::to_string(t) + R"(,"n":)" + std::to_string(n) +
                         "}");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(producer.flush(60s).complete);
  const auto stream = bridge.stream();
  REQUIRE(stream.size() == 4 * kEach);
  std::map<char, std::size_t> last;
  const std::size_t at = std::string(R"({"type":"t","thread":)").size();
  bool in_order = true;
  for (const auto& received : stream) {
    const std::size_t n = std::stoul(received.payload.substr(received.payload.rfind(':') + 1));
    in_order = in_order && n == ++last[received.payload[at]];
  }
  CHECK(in_order);
}

TEST_CASE("the end") {
  FakeBridge bridge;
  SUBCASE("sends what is queued and says bye with the last seq") {
    {
      Producer producer(options_for(bridge));
      publish(producer, 500);
    }
    CHECK(eventually([&] { return seqs(bridge) == "1-500"; }));
    CHECK(eventually([&] { return !bridge.heard(Kind::bye).empty(); }));
    CHECK(bridge.heard(Kind::bye)[0].last == 500);
  }
  SUBCASE("takes less than a second with nobody there") {
    bridge.stop();
    auto producer = std::make_unique<Producer>(options_for(bridge));
    publish(*producer, 10);
    const auto start = std::chrono::steady_clock::now();
    producer.reset();
    CHECK(std::chrono::steady_clock::now() - start < 1s);
  }
}

TEST_CASE("the child of a fork gets an error, and the parent goes on") {
  FakeBridge bridge;
  Producer producer(options_for(bridge));
  producer.publish(event(1));
  REQUIRE(producer.flush(5s).complete);
  const pid_t child = fork();
  if (child == 0) {
    int result = 1;
    try {
      producer.publish(event(2));
    } catch (const std::logic_error&) {
      result = 42;
    }
    _exit(result);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 42);
  producer.publish(event(2));
  CHECK(producer.flush(5s).complete);
  CHECK(seqs(bridge) == "1-2");
}

TEST_CASE("a bridge that asks for nonsense is answered with what there is") {
  FakeBridge bridge;
  bridge.set([](Behaviour& b) { b.acks = b.repairs = false; });
  Producer producer(options_for(bridge));
  publish(producer, 3);
  REQUIRE(eventually([&] { return seqs(bridge) == "1-3"; }));
  bridge.ask_for(2, kIntegerLimit - 1);
  CHECK(eventually([&] { return bridge.replayed() == 2; }));
}

TEST_CASE("options that can't work are refused with the remedy") {
  const auto refused = [](const std::function<void(ProducerOptions&)>& change) {
    ProducerOptions options;
    options.id = "p1";
    change(options);
    try {
      Producer producer(options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refused([](auto& o) { o.id = "a b"; }).find("1 to 64 of the characters") != std::string::npos);
  CHECK(refused([](auto& o) { o.bridges.clear(); }).find("name at least one") != std::string::npos);
  CHECK(refused([](auto& o) { o.buffer_events = 0; }).find("buffer_events") != std::string::npos);
  CHECK(refused([](auto& o) { o.bridges[0].control = "nonsense"; }).find("tcp://host:port") !=
        std::string::npos);
  CHECK(refused([](auto& o) { o.bridges[0].events = "nonsense"; }).find("tcp://host:port") !=
        std::string::npos);
}

TEST_CASE("topics are made as the bridge makes them") {
  CHECK(topic_of("queue-update") == "queue-update");
  CHECK(topic_of("task-finished", "a.b") == "task-finished.a%2Eb");
  CHECK_THROWS_AS(topic_of(""), std::invalid_argument);
  CHECK_THROWS_AS(topic_of("a..b"), std::invalid_argument);
  FakeBridge bridge;
  Producer producer(options_for(bridge));
  CHECK_THROWS_AS(producer.publish("not a topic", event(1)), std::invalid_argument);
}
