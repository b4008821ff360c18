#include "bridge/core/snapshot.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

using namespace trestle;
using namespace std::chrono_literals;

namespace {

Policy policy(const std::string& match, Keep keep) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.keep = keep;
  return made;
}

Policy limited(const std::string& match, Retain retain) {
  auto made = policy(match, Keep::latest);
  made.retain = retain;
  return made;
}

/// A snapshot fed with events of the built-in policies, of a product whose parts are done at once, and of
/// policies that retain little.
class SnapshotFixture {
 public:
  SnapshotFixture()
      : policies_({part(), policy("part-done.*", Keep::none), limited("brief.*", {10s, {}, {}}),
                   limited("few.*", {{}, 2, {}}), limited("small.*", {{}, {}, 100})}),
        snapshot_(policies_) {
    snapshot_.on_gone([this](const std::string& topic) { gone_ += (gone_.empty() ? "" : " ") + topic; });
  }

  EventPtr publish(const std::string& topic, std::size_t bytes = 10) {
    auto event = std::make_shared<Event>();
    event->offset = ++offset_;
    event->appended = wall_;
    event->topic = topic;
    event->payload.assign(bytes, 'x');
    event->policy = &policies_.find(topic);
    change_ = snapshot_.apply(event);
    return event;
  }
  void pass(std::chrono::seconds time) {
    wall_ += Micros{time.count()} * 1'000'000;
    snapshot_.expire(wall_);
  }
  std::string holds() const {
    std::string text;
    for (const auto& [offset, event] : snapshot_.events()) {
      text += (text.empty() ? "" : " ") + event->topic + "@" + std::to_string(offset);
    }
    return text;
  }
  /// What the newest event changed.
  Snapshot::Change change() const { return change_; }
  /// Topics that left since it was last asked.
  std::string gone() { return std::exchange(gone_, {}); }
  const Snapshot& snapshot() const { return snapshot_; }
  void restore(const std::vector<Ending>& endings) { snapshot_.restore(endings); }

 private:
  static Policy part() {
    auto made = policy("part.*", Keep::latest);
    made.until = Pattern::parse("part-done.*").value();
    return made;
  }

  PolicyTable policies_;
  Snapshot snapshot_;
  std::string gone_;
  Snapshot::Change change_ = Snapshot::Change::none;
  Offset offset_ = 0;
  Micros wall_ = 1'700'000'000'000'000;
};

}  // namespace

TEST_CASE("the snapshot is the newest event of each latest topic, in stream order") {
  SnapshotFixture stream;
  stream.publish("queue-update");
  stream.publish("command-progress.7");
  stream.publish("command-progress.8");
  CHECK(stream.holds() == "queue-update@1 command-progress.7@2 command-progress.8@3");
  stream.publish("queue-update");
  stream.publish("command-progress.7");
  CHECK(stream.holds() == "command-progress.8@3 queue-update@4 command-progress.7@5");

  SUBCASE("log and none topics are not part of it") {
    stream.publish("streaming_output.a");
    stream.publish("task-finished.99");
    stream.publish("$sys.rejected");
    CHECK(stream.snapshot().size() == 3);
  }
  SUBCASE("presence of producers is") {
    stream.publish("$sys.producer.p1");
    CHECK(stream.holds() == "command-progress.8@3 queue-update@4 command-progress.7@5 $sys.producer.p1@6");
  }
}

TEST_CASE("the end of a task clears its progress, and only its own") {
  SnapshotFixture stream;
  stream.publish("command-progress.7");
  stream.publish("command-progress.8");
  stream.publish("task-finished.7");
  CHECK(stream.holds() == "command-progress.8@2");

  SUBCASE("a late progress never resurrects it") {
    stream.publish("command-progress.7");
    CHECK(stream.holds() == "command-progress.8@2");
    stream.pass(23h);
    stream.publish("command-progress.7");
    CHECK(stream.holds() == "command-progress.8@2");
  }
  SUBCASE("once the ending is no longer kept the key may be used again") {
    stream.pass(24h);
    stream.publish("command-progress.7");
    CHECK(stream.holds() == "command-progress.8@2 command-progress.7@4");
  }
  SUBCASE("another ending renews the first one's time") {
    stream.pass(23h);
    stream.publish("task-finished.7");
    stream.pass(23h);
    stream.publish("command-progress.7");
    CHECK(stream.holds() == "");
  }
  SUBCASE("an ending of no task in sight counts for one that comes late") {
    stream.publish("task-finished.9");
    stream.publish("command-progress.9");
    CHECK(stream.holds() == "command-progress.8@2");
  }
}

TEST_CASE("an ending that is not kept at all still counts for an hour") {
  SnapshotFixture stream;
  stream.publish("part.1");
  stream.publish("part-done.1");
  stream.pass(59min);
  stream.publish("part.1");
  CHECK(stream.holds() == "");
  stream.pass(1min);
  stream.publish("part.1");
  CHECK(stream.holds() == "part.1@4");
}

TEST_CASE("what is older than a day leaves the snapshot, refreshed topics stay") {
  SnapshotFixture stream;
  stream.publish("graph_updated");
  stream.publish("queue-update");
  stream.pass(12h);
  stream.publish("queue-update");
  stream.pass(12h);
  CHECK(stream.holds() == "graph_updated@1 queue-update@3");
  stream.pass(1s);
  CHECK(stream.holds() == "queue-update@3");
  stream.pass(12h);
  CHECK(stream.holds() == "");
}

TEST_CASE("a policy retains so many topics: those without news for longest leave, and only its own") {
  SnapshotFixture stream;
  stream.publish("queue-update");
  stream.publish("few.1");
  stream.publish("few.2");
  stream.publish("few.1");
  CHECK(stream.holds() == "queue-update@1 few.2@3 few.1@4");
  stream.publish("few.3");
  CHECK(stream.change() == Snapshot::Change::added);
  CHECK(stream.holds() == "queue-update@1 few.1@4 few.3@5");
  CHECK(stream.gone() == "few.2");
  stream.publish("few.2");  // comes back, in the place of another
  CHECK(stream.holds() == "queue-update@1 few.3@5 few.2@6");
  CHECK(stream.gone() == "few.1");
}

TEST_CASE(
    "a policy retains so many bytes: of the newest of each topic, and no event that is more by itself") {
  SnapshotFixture stream;
  stream.publish("small.1", 60);
  stream.publish("small.1", 60);  // replaces: 60, not 120
  stream.publish("small.2", 40);
  CHECK(stream.holds() == "small.1@2 small.2@3");
  stream.publish("small.2", 41);
  CHECK(stream.holds() == "small.2@4");
  CHECK(stream.gone() == "small.1");
  stream.publish("small.3", 59);
  const auto big = stream.publish("small.2", 101);
  CHECK(stream.change() == Snapshot::Change::none);
  CHECK(stream.snapshot().leaves_out(*big));
  CHECK(stream.holds() == "small.3@5");  // it does not take the place of others
  CHECK(stream.gone() == "small.2");
  CHECK_FALSE(stream.snapshot().leaves_out(*stream.publish("small.2", 100)));
  CHECK(stream.holds() == "small.2@7");
}

TEST_CASE("a policy retains for so long, counted from each topic's newest event") {
  SnapshotFixture stream;
  stream.publish("brief.1");
  stream.publish("brief.2");
  stream.publish("few.1");
  stream.pass(10s);
  stream.publish("brief.1");
  CHECK(stream.holds() == "brief.2@2 few.1@3 brief.1@4");
  stream.pass(1s);
  CHECK(stream.holds() == "few.1@3 brief.1@4");
  CHECK(stream.gone() == "brief.2");
  stream.pass(10s);
  CHECK(stream.holds() == "few.1@3");
}

TEST_CASE("the snapshot is bounded: the oldest topic leaves first") {
  SnapshotFixture stream;
  for (std::size_t i = 0; i <= Snapshot::kMaxTopics; ++i) stream.publish("part." + std::to_string(i));
  CHECK(stream.snapshot().size() == Snapshot::kMaxTopics);
  CHECK(stream.snapshot().events().begin()->second->topic == "part.1");
  CHECK(stream.snapshot().events().rbegin()->second->topic == "part." + std::to_string(Snapshot::kMaxTopics));
}

TEST_CASE("endings are bounded too: the oldest is forgotten first") {
  SnapshotFixture stream;
  for (std::size_t i = 0; i <= Snapshot::kMaxTopics; ++i) stream.publish("part-done." + std::to_string(i));
  stream.publish("part.1");
  CHECK(stream.holds() == "");
  stream.publish("part.0");
  CHECK(stream.snapshot().size() == 1);
}

TEST_CASE("what comes after an end is late, what came before it is not") {
  SnapshotFixture stream;
  const auto before = stream.publish("part.1");
  stream.publish("part-done.1");
  const auto after = stream.publish("part.1");
  stream.publish("part-done.1");
  CHECK_FALSE(stream.snapshot().leaves_out(*before));
  CHECK(stream.snapshot().leaves_out(*after));
}

TEST_CASE("endings outlive the snapshot that saw them") {
  SnapshotFixture before;
  before.publish("part-done.1");
  before.pass(30min);
  before.publish("part-done.2");
  before.publish("part-done.1");  // until later
  SnapshotFixture after;
  after.restore(before.snapshot().endings());
  REQUIRE(after.snapshot().endings().size() == 2);
  CHECK(after.snapshot().ended_until("part.1") == after.snapshot().ended_until("part.2"));
  after.pass(89min);
  after.publish("part.1");
  CHECK(after.holds() == "");
  after.pass(1min);
  CHECK(after.snapshot().endings().empty());
  after.publish("part.1");
  CHECK(after.holds() == "part.1@2");
}

TEST_CASE("an ending that is loaded again is not a newer one: the bound holds and none is forgotten") {
  SnapshotFixture before;
  for (std::size_t i = 0; i < Snapshot::kMaxTopics; ++i) before.publish("part-done." + std::to_string(i));
  SnapshotFixture after;
  after.restore(before.snapshot().endings());
  for (std::size_t i = 0; i < 10; ++i) after.publish("part-done." + std::to_string(i));
  CHECK(after.snapshot().endings().size() == Snapshot::kMaxTopics);
}

TEST_CASE("what was ended comes back once its policy has no `until`") {
  SnapshotFixture stream;
  stream.restore({{"queue-update", 2'000'000'000'000'000}});
  stream.publish("queue-update");
  CHECK(stream.holds() == "queue-update@1");
}
