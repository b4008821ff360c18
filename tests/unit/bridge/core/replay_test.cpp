#include "bridge/core/replay.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

std::vector<Policy> with_a_short_log() {
  Retain three;
  three.count = 3;
  return {{*Pattern::parse("short"), Keep::log, "", std::nullopt, three, UnderPressure::close, "", {}}};
}

Subscription to(const std::string& patterns) {
  Subscription wanted;
  wanted.form = Form::meta;
  const auto parsed = parse_patterns(patterns);
  for (const auto& pattern : parsed.value()) wanted.add(pattern);
  return wanted;
}

/// What a shard keeps, and a session that pulls from it.
class ReplayFixture {
 public:
  void publish(const std::vector<std::string>& topics) {
    for (const auto& topic : topics) {
      auto event = std::make_shared<Event>();
      event->offset = ++head;
      event->topic = topic;
      event->payload = "1";
      event->policy = &policies_.find(topic);
      event->appended = wall;
      snapshot.apply(event);
      history.apply(event);
    }
  }
  /// "1 2r 5": offsets, with an r where it is marked as a replay; ends with a stop once nothing lies ahead.
  std::string pull(Replay& replay, std::size_t budget = 1'000'000) {
    const auto piece = replay.next(history, snapshot, head, budget);
    std::string text;
    if (piece.lost_after) text = "lost after " + std::to_string(*piece.lost_after) + " ";
    if (piece.chunk) {
      for (auto at = piece.chunk->bytes.find("\"offset\":"); at != std::string::npos;
           at = piece.chunk->bytes.find("\"offset\":", at + 1)) {
        const auto end = piece.chunk->bytes.find_first_not_of("0123456789", at + 9);
        const auto time = piece.chunk->bytes.find_first_of("}", end);
        const bool marked = piece.chunk->bytes.substr(end, time - end).find("replay") != std::string::npos;
        text += piece.chunk->bytes.substr(at + 9, end - at - 9) + (marked ? "r " : " ");
      }
    }
    return text + (piece.done ? "." : "");
  }

  Offset head = 0;
  Micros wall = 1'000'000;

 private:
  const PolicyTable policies_{with_a_short_log()};

 public:
  Snapshot snapshot{policies_};
  History history{policies_};
};

}  // namespace

TEST_CASE("a session that joins gets the newest of each latest topic, marked") {
  ReplayFixture stream;
  stream.publish({"queue-update", "log.a", "command-progress.1", "queue-update"});
  auto replay = Replay::join(to(">"), stream.head);
  SUBCASE("and is through at once if nothing else comes") { CHECK(stream.pull(replay) == "3r 4r ."); }
  SUBCASE("and what comes meanwhile, not marked: it moves the cursor") {
    CHECK(stream.pull(replay, 1) == "3r ");
    stream.publish({"queue-update", "log.b"});
    CHECK(stream.pull(replay) == "5 6 .");
  }
}

TEST_CASE("a session that resumes gets what is newer, in offset order, not marked") {
  ReplayFixture stream;
  stream.publish({"log.a", "queue-update", "log.a", "queue-update", "log.b", "command-progress.1"});
  auto from = [&](Offset after, const std::string& topics = ">") {
    auto replay = Replay::resume(to(topics), after);
    return stream.pull(replay);
  };
  CHECK(from(0) == "1 3 4 5 6 .");
  CHECK(from(3) == "4 5 6 .");
  CHECK(from(6) == ".");
  CHECK(from(0, "log.*") == "1 3 5 .");
  CHECK(from(0, "nothing") == ".");
}

TEST_CASE("pulling a piece at a time gives every event once, whatever comes in between") {
  ReplayFixture stream;
  for (int i = 0; i < 20; ++i) stream.publish({"log.a"});
  auto replay = Replay::resume(to(">"), 5);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto piece = stream.pull(replay, 1);
    all += piece;
    if (i < 5) stream.publish({"log.a"});
    if (piece.find('.') != std::string::npos) break;
  }
  std::string expected;
  for (int i = 6; i <= 25; ++i) expected += std::to_string(i) + " ";
  CHECK(all == expected + ".");
}

TEST_CASE("after a gap there is the full snapshot and what is left of the log, offsets rising") {
  ReplayFixture stream;
  stream.publish({"queue-update", "log.a", "log.a"});
  auto replay = Replay::restart(to(">"), 2, stream.head);
  CHECK(stream.pull(replay) == "1r 3 .");  // marked, or the cursor would move back
}

TEST_CASE(
    "what the retention takes from under a slow client is told once, and begins with the snapshot again") {
  ReplayFixture stream;
  stream.publish({"queue-update", "short", "short", "short"});
  auto replay = Replay::resume(to("short,queue-update"), 0);
  CHECK(stream.pull(replay, 1) == "1 ");
  CHECK(stream.pull(replay, 1) == "2 ");
  SUBCASE("nothing of it has left") {
    stream.publish({"short"});  // 2 leaves, which the client has
    CHECK(stream.pull(replay) == "3 4 5 .");
  }
  SUBCASE("some has") {
    stream.publish({"short", "short"});
    CHECK(stream.pull(replay) == "lost after 2 ");
    CHECK(stream.pull(replay) == "1r 4 5 6 .");
  }
  SUBCASE("what leaves after that, within what was told, is not told again") {
    stream.publish({"short", "short", "short", "short"});
    CHECK(stream.pull(replay) == "lost after 2 ");
    CHECK(stream.pull(replay, 1) == "1r ");
    stream.publish({"short", "short", "short"});  // 6, 7 and 8 leave
    CHECK(stream.pull(replay) == "9 10 11 .");
  }
}

TEST_CASE("in-band, only what was not held before, all marked") {
  ReplayFixture stream;
  stream.publish({"log.a", "log.b", "queue-update", "log.b"});
  SUBCASE("from a cursor") {
    auto replay = Replay::in_band(to("log.a,log.b"), to("log.a"), 2, 2, 0);
    CHECK(stream.pull(replay) == "4r .");
  }
  SUBCASE("without one: the snapshot") {
    auto replay = Replay::in_band(to("log.a,queue-update"), to("log.a"), stream.head, 0, 0);
    CHECK(stream.pull(replay) == "3r .");
  }
  SUBCASE("and what leaves of the topics held is not lost") {
    auto replay = Replay::in_band(to("log.b,short"), to("short"), 0, 0, 0);
    stream.publish({"short", "short", "short", "short"});
    CHECK(stream.pull(replay) == "2r 4r .");
  }
}

TEST_CASE("a history says whether something that a subscription may want has left") {
  ReplayFixture stream;
  stream.publish({"short", "other", "short", "short", "short"});  // the first short is trimmed
  const auto missing = [&](const std::string& topics) {
    return stream.history.missing_up_to(to(topics).topics);
  };
  CHECK(missing(">") == 1);
  CHECK(missing("short") == 1);
  CHECK(missing("other") == 0);
  stream.history.forget_up_to(4);
  CHECK(missing("other") == 4);
  CHECK(missing(">") == 4);
}

TEST_CASE("age takes events out of the history") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  stream.wall += Micros{3'599} * 1'000'000;
  stream.publish({"log.a"});
  stream.history.expire(stream.wall);
  CHECK(stream.history.size() == 2);
  stream.history.expire(stream.wall + Micros{2} * 1'000'000);  // the last policy keeps an hour
  CHECK(stream.history.size() == 1);
}
