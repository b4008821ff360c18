#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <sstream>

#include "clients/pipeline/queues.h"

using namespace trestle;
using namespace trestle::pipeline;
using namespace std::chrono_literals;

namespace {

/// Two queues with a clock one can turn, and outcomes as strings.
struct Fixture {
  Queues queues{QueuesOptions{}};
  Clock::time_point now{1h};

  void add(const std::string& id) {
    Task task;
    task.id = task.name = id;
    task.destination = "http://localhost/";
    REQUIRE(queues.add(task));
  }
  std::optional<Lease> lease(Stage stage, const std::string& worker = "w") {
    return queues.lease(stage, worker, now);
  }
  /// The task leased, as "id#attempt", or "nothing".
  std::string next(Stage stage, const std::string& worker = "w") {
    const auto lease = queues.lease(stage, worker, now);
    return lease ? lease->task.id + "#" + std::to_string(lease->task.attempt) : "nothing";
  }
  bool succeed(LeaseId lease) {
    Outcome outcome;
    outcome.success = true;
    return queues.finish(lease, outcome, now);
  }
  bool fail(LeaseId lease, bool retry) {
    Outcome outcome;
    outcome.retry = retry;
    outcome.error = "no luck";
    return queues.finish(lease, outcome, now);
  }
  /// "compression: running | waiting; upload: running | waiting"
  std::string state() {
    std::ostringstream out;
    const auto view = queues.view();
    for (const Stage stage : kStages) {
      const auto& seen = view[static_cast<std::size_t>(stage)];
      for (const Task* task : seen.running) out << task->id << " ";
      out << "|";
      for (const Task* task : seen.queued) out << " " << task->id;
      if (stage == Stage::compression) out << "; ";
    }
    return out.str();
  }
  std::string ended() {
    std::string out;
    for (const Task& task : queues.take_ended()) {
      out +=
          task.id + " " + std::string(name_of(task.status)) + (task.error.empty() ? "" : ": " + task.error);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("a task passes both queues and ends once") {
  Fixture f;
  f.add("a");
  CHECK(f.state() == "| a; |");
  const auto packing = f.lease(Stage::compression);
  REQUIRE(packing);
  CHECK(f.state() == "a |; |");
  CHECK(f.succeed(packing->id));
  CHECK(f.state() == "|; | a");
  const auto upload = f.lease(Stage::upload);
  REQUIRE(upload);
  CHECK(upload->task.attempt == 1);
  CHECK(f.ended() == "");
  CHECK(f.succeed(upload->id));
  CHECK(f.state() == "|; |");
  CHECK(f.ended() == "a completed");
  CHECK(f.ended() == "");
  CHECK_FALSE(f.succeed(upload->id));
  CHECK(f.queues.unfinished() == 0);
}

TEST_CASE("tasks start in the order they came, as many at once as there are workers allowed") {
  Fixture f;
  f.queues.set_workers(Stage::compression, 2);
  f.add("a"), f.add("b"), f.add("c");
  CHECK(f.next(Stage::compression) == "a#1");
  CHECK(f.next(Stage::compression) == "b#1");
  CHECK(f.next(Stage::compression) == "nothing");
  f.queues.set_workers(Stage::compression, 3);
  CHECK(f.next(Stage::compression) == "c#1");
}

TEST_CASE("a paused queue starts nothing; what runs goes on") {
  Fixture f;
  f.queues.set_workers(Stage::compression, 2);
  f.add("a"), f.add("b");
  const auto a = f.lease(Stage::compression);
  REQUIRE(a);
  f.queues.set_active(Stage::compression, false);
  CHECK(f.next(Stage::compression) == "nothing");
  CHECK(f.succeed(a->id));
  f.queues.set_active(Stage::compression, true);
  CHECK(f.next(Stage::compression) == "b#1");
}

TEST_CASE("a worker that falls silent loses its task to the next one") {
  Fixture f;
  f.add("a"), f.add("b");
  const auto lost = f.lease(Stage::compression, "first");
  REQUIRE(lost);
  CHECK(f.queues.is_busy("first"));
  SUBCASE("not while it beats") {
    f.now += 4s;
    CHECK(f.queues.renew(lost->id, f.now));
    f.now += 4s;
    CHECK(f.queues.expire(f.now).empty());
  }
  SUBCASE("then the task is first in line again, as another attempt") {
    f.now += 5s;
    REQUIRE(f.queues.expire(f.now).size() == 1);
    CHECK_FALSE(f.queues.is_busy("first"));
    CHECK(f.next(Stage::compression, "second") == "a#2");
    CHECK_FALSE(f.queues.renew(lost->id, f.now));
    CHECK_FALSE(f.succeed(lost->id));
    CHECK(f.state() == "a | b; |");
  }
  SUBCASE("after three attempts it has failed") {
    for (int i = 0; i < 3; ++i) {
      f.lease(Stage::compression, "again");
      f.now += 5s;
      f.queues.expire(f.now);
    }
    CHECK(f.ended() == "a failed: worker again stopped answering");
    CHECK(f.next(Stage::compression) == "b#1");
  }
}

TEST_CASE("a failed attempt") {
  Fixture f;
  f.add("a"), f.add("b");
  const auto a = f.lease(Stage::compression);
  REQUIRE(a);
  SUBCASE("that can't get better ends the task") {
    CHECK(f.fail(a->id, false));
    CHECK(f.ended() == "a failed: no luck");
  }
  SUBCASE("that may get better waits a little, behind the others") {
    CHECK(f.fail(a->id, true));
    CHECK(f.ended() == "");
    CHECK(f.state() == "| b a; |");
    f.queues.set_workers(Stage::compression, 2);
    CHECK(f.next(Stage::compression) == "b#1");
    CHECK(f.next(Stage::compression) == "nothing");
    f.now += 2s;
    CHECK(f.next(Stage::compression) == "a#2");
  }
}

TEST_CASE("a task given back in good order waits first in line and loses no attempt") {
  Fixture f;
  f.add("a"), f.add("b");
  const auto a = f.lease(Stage::compression);
  REQUIRE(a);
  CHECK(f.queues.give_back(a->id));
  CHECK_FALSE(f.queues.give_back(a->id));
  CHECK(f.next(Stage::compression) == "a#1");
}

TEST_CASE("a worker's results stay with the task") {
  Fixture f;
  f.add("a");
  Outcome outcome;
  outcome.success = true;
  outcome.files = {"/work/a.7z"};
  outcome.compress = ToolOutput{};
  outcome.compress->output = "Everything is Ok";
  const auto packing = f.lease(Stage::compression);
  REQUIRE(packing);
  f.queues.finish(packing->id, outcome, f.now);
  const auto upload = f.lease(Stage::upload);
  REQUIRE(upload);
  CHECK(upload->task.files == std::vector<std::string>{"/work/a.7z"});
  CHECK(upload->task.compress.output == "Everything is Ok");
}

TEST_CASE("every change is news once") {
  Fixture f;
  CHECK(f.queues.take_changed());
  CHECK_FALSE(f.queues.take_changed());
  f.add("a");
  CHECK(f.queues.take_changed());
  f.queues.set_active(Stage::upload, true);  // as it was
  CHECK_FALSE(f.queues.take_changed());
  f.queues.set_active(Stage::upload, false);
  CHECK(f.queues.take_changed());
  const auto a = f.lease(Stage::compression);
  CHECK(f.queues.take_changed());
  f.queues.renew(a->id, f.now);
  CHECK_FALSE(f.queues.take_changed());
}

TEST_CASE("the queue is full before its queue-update is too large for a bridge") {
  Queues queues{QueuesOptions{}};
  Task task;
  task.source = std::string(3000, 'x');
  int added = 0;
  while (added < 10'000 && queues.add(task)) ++added;
  CHECK(added > 100);
  CHECK(added < 200);
  CHECK(queue_update(queues.view()).size() < kLargestEvent);
  const auto full = queues.add(task);
  REQUIRE_FALSE(full);
  CHECK(full.error().message.find("the queue is full") == 0);
}

TEST_CASE("queue-update has the members of the seed") {
  Fixture f;
  f.add("a"), f.add("b");
  f.lease(Stage::compression);
  rapidjson::Document update;
  update.Parse(queue_update(f.queues.view()).c_str());
  REQUIRE(update.IsObject());
  CHECK(update.MemberCount() == 11);
  CHECK(std::string(update["type"].GetString()) == "queue-update");
  for (const char* name : {"compressionActive", "uploadActive"}) CHECK(update[name].IsTrue());
  CHECK(update["compressionRunning"] == 1);
  CHECK(update["compressionQueued"] == 1);
  CHECK(update["uploadRunning"] == 0);
  CHECK(update["uploadQueued"] == 0);
  CHECK(std::string(update["compressionRunningConfigs"][0]["status"].GetString()) == "compressing");
  CHECK(std::string(update["compressionQueuedConfigs"][0]["id"].GetString()) == "b");
}

TEST_CASE("command-progress has the members of the seed") {
  CHECK(command_progress("task-uuid", Step::compression, 45.666666) ==
        R"({"type":"command-progress","id":"task-uuid","currentStep":"COMPRESSION","percentage":45.67})");
}

TEST_CASE("task-finished stays below the bridge's limit whatever the tools wrote") {
  Task task;
  task.id = "a";
  task.compress.output = std::string(1 << 20, '\x01');  // six bytes each once escaped
  task.upload.error = "first line\n" + std::string(1 << 20, 'x') + "\nlast line";
  const std::string event = task_finished(task);
  CHECK(event.size() <= kLargestEvent);
  CHECK(event.size() > 100'000);
  CHECK(event.find("first line") != std::string::npos);
  CHECK(event.find("last line") != std::string::npos);
  CHECK(event.find("bytes left out") != std::string::npos);
}

TEST_CASE("text that is not UTF-8 does not spoil the event") {
  Task task;
  task.name = "caf\xe9";
  rapidjson::Document event;
  event.Parse<rapidjson::kParseValidateEncodingFlag>(task_finished(task).c_str());
  REQUIRE_FALSE(event.HasParseError());
  CHECK(std::string(event["taskConfig"]["name"].GetString()) == "caf\xef\xbf\xbd");
}
