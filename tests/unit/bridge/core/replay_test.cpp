#include "bridge/core/replay.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

std::vector<Policy> with_a_short_log() {
  Policy made;
  made.match = *Pattern::parse("short");
  made.retain.count = 3;
  Policy secret;
  secret.match = *Pattern::parse("secret");
  secret.redact.members = {"/blob"};
  return {made, secret};
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
  void publish(const std::vector<std::string>& topics, const std::string& payload = "1") {
    for (const auto& topic : topics) {
      auto event = std::make_shared<Event>();
      event->offset = ++head;
      event->topic = topic;
      event->payload = payload;
      event->policy = &policies_.find(topic);
      event->appended = wall;
      snapshot.apply(event);
      history.apply(event);
    }
  }
  /// Events that a producer lost, behind all that is there.
  void lose(Seq seq) { history.apply({"p", seq, seq, 0, head, wall}); }
  /// "1 2r (7 after 2) 5": offsets, with an r where it is marked as a replay, and losses; ends with a stop
  /// once nothing lies ahead.
  std::string pull(Replay& replay, std::size_t budget = 1'000'000) {
    const auto piece = replay.next(history, snapshot, "77", head, budget);
    std::string text;
    if (piece.lost_after) text = "lost after " + std::to_string(*piece.lost_after) + " ";
    if (piece.chunk) {
      for (auto at = piece.chunk->bytes.find(kOffset); at != std::string::npos;
           at = piece.chunk->bytes.find(kOffset, at + 1)) {
        text += piece_at(std::string_view(piece.chunk->bytes).substr(at + kOffset.size()));
      }
    }
    return text + (piece.done ? "." : "");
  }

  const PolicyTable& policies() const { return policies_; }

  Offset head = 0;
  Micros wall = 1'000'000;

 private:
  static constexpr std::string_view kOffset = "\"offset\":";
  // An event, or a loss: from the offset to the end of its members.
  static std::string piece_at(std::string_view rest) {
    const auto members = rest.substr(0, rest.find('}'));
    const auto offset = std::string(members.substr(0, members.find(',')));
    const std::string_view seq = "\"seq_from\":";
    const auto loss = members.find(seq);
    if (loss == std::string_view::npos) {
      return offset + (members.find("replay") != std::string_view::npos ? "r " : " ");
    }
    const auto from = members.substr(loss + seq.size());
    return "(" + std::string(from.substr(0, from.find(','))) + " after " + offset + ") ";
  }
  const PolicyTable policies_{with_a_short_log()};

 public:
  Snapshot snapshot{policies_};
  History history{policies_};
};

}  // namespace

TEST_CASE("a session that joins gets the newest of each latest topic, marked") {
  ReplayFixture stream;
  stream.publish({"queue-update", "log.a", "command-progress.1", "queue-update"});
  auto replay = Replay::join(stream.history, to(">"), stream.head);
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
    auto replay = Replay::resume(stream.history, to(topics), after);
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
  auto replay = Replay::resume(stream.history, to(">"), 5);
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

TEST_CASE("a piece ends before an event that is more than its budget, unless it is the first") {
  ReplayFixture stream;
  const auto text = [](std::size_t size) { return "\"" + std::string(size, 'x') + "\""; };
  stream.publish({"log.a"}, text(400));
  stream.publish({"log.a"}, text(400));
  stream.publish({"log.a"}, text(5'000));
  stream.publish({"log.a", "log.a"});
  auto replay = Replay::resume(stream.history, to(">"), 0);
  CHECK(stream.pull(replay, 900) == "1 ");
  CHECK(stream.pull(replay, 1'200) == "2 ");
  CHECK(stream.pull(replay, 1'200) == "3 ");
  CHECK(stream.pull(replay, 100) == "4 ");
  CHECK(stream.pull(replay, 100) == "5 .");
}

TEST_CASE("after a gap there is the full snapshot and what is left of the log, offsets rising") {
  ReplayFixture stream;
  stream.publish({"queue-update", "log.a", "log.a"});
  auto replay = Replay::restart(stream.history, to(">"), 2, stream.head);
  CHECK(stream.pull(replay) == "1r 3 .");  // marked, or the cursor would move back
}

TEST_CASE(
    "what the retention takes from under a slow client is told once, and begins with the snapshot again") {
  ReplayFixture stream;
  stream.publish({"queue-update", "short", "short", "short"});
  auto replay = Replay::resume(stream.history, to("short,queue-update"), 0);
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
    auto replay = Replay::in_band(stream.history, to("log.a,log.b"), to("log.a"), 2, 2, 0);
    CHECK(stream.pull(replay) == "4r .");
  }
  SUBCASE("without one: the snapshot") {
    auto replay = Replay::join_in_band(to("log.a,queue-update"), to("log.a"), stream.head);
    CHECK(stream.pull(replay) == "3r .");
  }
  SUBCASE("and what leaves of the topics held is not lost") {
    auto replay = Replay::in_band(stream.history, to("log.b,short"), to("short"), 0, 0, 0);
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
  CHECK(missing("$sys.>") == 0);  // no logs
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

TEST_CASE("who resumes over losses is told of each at its place, in the order of the stream") {
  ReplayFixture stream;
  stream.publish({"log.a", "log.b"});
  stream.lose(5);
  stream.lose(6);
  stream.publish({"log.a", "log.b", "log.b"});
  stream.lose(9);
  const auto from = [&](Offset after, const std::string& topics = ">") {
    auto replay = Replay::resume(stream.history, to(topics), after);
    return stream.pull(replay);
  };
  CHECK(from(0) == "1 2 (5 after 2) (6 after 2) 3 4 5 (9 after 5) .");
  CHECK(from(2) == "(5 after 2) (6 after 2) 3 4 5 (9 after 5) .");  // it may have been cut before them
  CHECK(from(3) == "4 5 (9 after 5) .");
  CHECK(from(5) == "(9 after 5) .");
  CHECK(from(0, "log.a") == "1 (5 after 2) (6 after 2) 3 (9 after 5) .");  // whatever it subscribes to
  CHECK(from(0, "nothing") == "(5 after 2) (6 after 2) (9 after 5) .");
}

TEST_CASE("losses come a piece at a time like events, each once, also those of the meantime") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  for (Seq seq = 1; seq <= 3; ++seq) stream.lose(seq);
  stream.publish({"log.a"});
  auto replay = Replay::resume(stream.history, to(">"), 0);
  CHECK(stream.pull(replay, 1) == "1 ");
  CHECK(stream.pull(replay, 1) == "(1 after 1) ");
  stream.lose(7);
  CHECK(stream.pull(replay, 1) == "(2 after 1) ");
  stream.publish({"log.a"});
  CHECK(stream.pull(replay) == "(3 after 1) 2 (7 after 2) 3 .");
  stream.lose(8);
  CHECK(stream.pull(replay) == "(8 after 3) .");
}

TEST_CASE("who gets no notices is not told of losses") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  stream.lose(5);
  auto wanted = to(">");
  wanted.form = Form::envelope;
  auto replay = Replay::resume(stream.history, wanted, 0);
  const auto piece = replay.next(stream.history, stream.snapshot, "77", stream.head, 1'000);
  CHECK(piece.chunk->bytes.find("gap") == std::string::npos);
}

TEST_CASE("who joins is told of no loss before that, and of every one after it") {
  ReplayFixture stream;
  stream.publish({"queue-update"});
  stream.lose(5);
  SUBCASE("on connecting") {
    auto replay = Replay::join(stream.history, to(">"), stream.head);
    stream.lose(6);
    stream.publish({"log.a"});
    CHECK(stream.pull(replay) == "1r (6 after 1) 2 .");
  }
  SUBCASE("in-band, where the group tells of those that come") {
    auto replay = Replay::join_in_band(to("log.a,queue-update"), to("log.a"), stream.head);
    stream.lose(6);
    CHECK(stream.pull(replay) == "1r .");
  }
}

TEST_CASE("in-band from a cursor, the losses that there were when it was asked for") {
  ReplayFixture stream;
  stream.publish({"log.a", "log.b"});
  stream.lose(5);
  stream.publish({"log.b"});
  auto replay = Replay::in_band(stream.history, to("log.a,log.b"), to("log.a"), 1, 1, 0);
  stream.lose(6);
  CHECK(stream.pull(replay) == "2r (5 after 2) 3r .");
}

TEST_CASE("after a gap the losses that are kept come at their places too") {
  ReplayFixture stream;
  stream.publish({"queue-update", "log.a"});
  stream.lose(5);
  stream.publish({"log.a"});
  stream.lose(6);
  SUBCASE("from where the cursor stood") {
    auto replay = Replay::restart(stream.history, to(">"), 2, stream.head);
    CHECK(stream.pull(replay) == "1r (5 after 2) 3 (6 after 3) .");
  }
  SUBCASE("all, if it stood nowhere") {
    auto replay = Replay::restart(stream.history, to(">"), 0, stream.head);
    CHECK(stream.pull(replay) == "1 2 (5 after 2) 3 (6 after 3) .");
  }
}

TEST_CASE("losses have bounds: the oldest leave, and who needed them is told that something is missing") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  stream.lose(5);
  stream.publish({"log.a"});
  auto slow = Replay::resume(stream.history, to(">"), 0);
  CHECK(stream.history.has_losses_from(0));
  SUBCASE("by age") {
    stream.history.expire(stream.wall + History::kMaxLossAge);
    CHECK(stream.history.has_losses_from(0));
    stream.history.expire(stream.wall + History::kMaxLossAge + 1);
  }
  SUBCASE("by number") {
    for (Seq seq = 0; seq < History::kMaxLosses - 1; ++seq) stream.lose(6);
    CHECK(stream.history.has_losses_from(0));
    stream.lose(6);
  }
  SUBCASE("with a past that is gone") { stream.history.forget_up_to(2); }
  CHECK_FALSE(stream.history.has_losses_from(0));
  CHECK_FALSE(stream.history.has_losses_from(1));  // it may have been cut before it was told
  CHECK(stream.history.has_losses_from(2));
  CHECK(stream.pull(slow) == "lost after 0 ");
  CHECK(stream.pull(slow, 1).find("lost after") == std::string::npos);
}

TEST_CASE("a loss that leaves behind the head is told as missing once, and no more") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  auto slow = Replay::resume(stream.history, to(">"), 1);
  stream.lose(5);
  stream.history.expire(stream.wall + History::kMaxLossAge + 1);
  CHECK(stream.pull(slow) == "lost after 1 ");
  CHECK(stream.pull(slow) == ".");
  auto next = Replay::restart(stream.history, to(">"), 1, stream.head);
  CHECK(stream.pull(next) == ".");
}

TEST_CASE("a loss that was told and leaves then is not missing") {
  ReplayFixture stream;
  stream.publish({"log.a"});
  stream.lose(5);
  stream.wall += History::kMaxLossAge;
  stream.publish({"log.a", "log.a"});
  auto replay = Replay::resume(stream.history, to(">"), 1);
  CHECK(stream.pull(replay, 1) == "(5 after 1) ");
  stream.history.expire(stream.wall + 1);
  CHECK(stream.pull(replay) == "2 3 .");
}

TEST_CASE("what an earlier life trimmed is told before what is kept") {
  ReplayFixture stream;
  stream.publish({"short", "other", "short"});
  stream.history.restore_missing({2});  // of the first policy, `short`
  auto resumed = Replay::resume(stream.history, to("short"), 1);
  CHECK(stream.pull(resumed) == "lost after 1 ");
  CHECK(stream.pull(resumed) == "3 .");
  auto newer = Replay::resume(stream.history, to("short"), 2);
  CHECK(stream.pull(newer) == "3 .");
  auto other = Replay::resume(stream.history, to("other"), 0);
  CHECK(stream.pull(other) == "2 .");
  CHECK(stream.history.trimmed(0) == 0);
  CHECK(stream.history.missing(0) == 2);
}

TEST_CASE("a replay that narrows goes on from where it is with what is left, and nothing comes twice") {
  ReplayFixture stream;
  stream.publish({"task", "log.a", "task.1", "queue-update", "log.b"});
  auto replay = Replay::resume(stream.history, to(">"), 0);
  CHECK(stream.pull(replay, 1) == "1 ");
  replay.narrow(to("task,task.>,log.b").topics);
  CHECK(replay.wanted().topics == to("task,task.>,log.b").topics);
  CHECK(stream.pull(replay, 1) == "3 ");
  stream.publish({"task.2", "log.a"});
  SUBCASE("to its end") { CHECK(stream.pull(replay) == "5 6 ."); }
  SUBCASE("to less and less") {
    replay.narrow(to("*.b,task.2").topics);
    CHECK(replay.wanted().topics == to("log.b,task.2,task.b").topics);
    CHECK(stream.pull(replay) == "5 6 .");
  }
  SUBCASE("to nothing") {
    replay.narrow({});
    CHECK(stream.pull(replay) == ".");
  }
}

TEST_CASE("in-band, what was held narrows alike: what it lost is nothing that the replay lost") {
  ReplayFixture stream;
  stream.publish({"log.a", "short", "short"});
  auto replay = Replay::in_band(stream.history, to(">,short"), to("short"), 0, 0, 0);
  replay.narrow(to("short,log.*").topics);
  stream.publish({"short", "short", "short", "log.b"});  // 2 and 3 leave, which were held
  CHECK(stream.pull(replay) == "1r 7r .");
}

TEST_CASE("a pull is bounded in what it parses, however little of that is left") {
  ReplayFixture stream;
  const std::string payload = R"({"blob":")" + std::string(20'000, 'x') + "\"}";
  const std::size_t count = 50;
  for (std::size_t i = 0; i < count; ++i) stream.publish({"secret"}, payload);
  auto wanted = to("secret");
  wanted.hidden = stream.policies().hidden_from(Rights::reader());
  auto replay = Replay::resume(stream.history, wanted, 0);
  const auto most = Replay::kMaxWork * Replay::kParsedPerWork / payload.size() + 1;
  std::size_t all = 0;
  for (bool done = false; !done;) {
    const auto piece = replay.next(stream.history, stream.snapshot, "77", stream.head, 1'000'000);
    const auto events = piece.chunk ? piece.chunk->marks.size() : 0;
    CHECK(events <= most);
    if (!piece.done) REQUIRE(events > 0);
    if (piece.chunk) CHECK(piece.chunk->bytes.find("xxx") == std::string::npos);
    all += events;
    done = piece.done;
  }
  CHECK(all == count);
}

TEST_CASE("one event that costs more than a pull may is still given") {
  ReplayFixture stream;
  stream.publish({"secret", "secret"},
                 R"({"blob":")" + std::string(Replay::kMaxWork * Replay::kParsedPerWork, 'x') + "\"}");
  auto wanted = to("secret");
  wanted.hidden = stream.policies().hidden_from(Rights::reader());
  auto replay = Replay::resume(stream.history, wanted, 0);
  CHECK(stream.pull(replay) == "1 ");
  CHECK(stream.pull(replay) == "2 ");
  CHECK(stream.pull(replay) == ".");
}

TEST_CASE("a pull is bounded in the patterns that it tries") {
  ReplayFixture stream;
  for (int i = 0; i < 1'000; ++i) stream.publish({"log.a"});
  stream.publish({"log.b"});
  std::string patterns = "log.b";
  for (int i = 1; i < 250; ++i) patterns += ",nothing.n" + std::to_string(i);
  auto replay = Replay::resume(stream.history, to(patterns), 0);
  std::size_t pulls = 1;
  while (stream.pull(replay) != "1001 .") REQUIRE(++pulls < 100);
  CHECK(pulls > 250 * 1'000 / Replay::kMaxWork);
}
