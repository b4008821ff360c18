#include "bridge/core/policy.h"

#include <doctest/doctest.h>

using namespace trestle;
using namespace std::chrono_literals;

namespace {

Policy policy(const std::string& match, Keep keep = Keep::log, const std::string& key = {}) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.keep = keep;
  made.key = key;
  return made;
}

/// The pattern of the policy found for a topic.
std::string found(const PolicyTable& table, const std::string& topic) {
  return table.find(topic).match.text();
}

std::string key_of(const PolicyTable& table, const std::string& type) {
  const auto* holder = table.key_policy(type);
  return holder ? holder->key : "none";
}

}  // namespace

TEST_CASE("the built-in policies know both products' events") {
  const PolicyTable table({});
  CHECK(found(table, "queue-update") == "queue-update");
  CHECK(found(table, "command-progress.42") == "command-progress.*");
  CHECK(found(table, "task-finished.42") == "task-finished.*");
  CHECK(found(table, "agent_execution_started.a") == "agent_execution_started.*");
  CHECK(found(table, "agent_execution_completed.a") == "agent_execution_completed.*");
  CHECK(found(table, "streaming_output.a") == "streaming_output.*");
  CHECK(found(table, "artifact_published.Pizza") == "artifact_published.*");
  CHECK(found(table, "graph_updated") == "graph_updated");
  CHECK(found(table, "something.else") == ">");
  CHECK(found(table, "$sys.producer.p1") == "$sys.producer.*");
  CHECK(found(table, "$sys.health") == "$sys.>");

  const auto& progress = table.find("command-progress.42");
  CHECK(progress.keep == Keep::latest);
  CHECK(progress.until->text() == "task-finished.*");
  const auto& finished = table.find("task-finished.42");
  CHECK(finished.keep == Keep::log);
  CHECK(finished.retain.age == 24h);
  CHECK(finished.retain.count == 10'000);
  const auto& output = table.find("streaming_output.a");
  CHECK(output.under_pressure == UnderPressure::merge);
  CHECK(output.merge == "/content");
  CHECK(output.merge_by == std::vector<std::string>{"/run_id"});
  CHECK(output.retain.age == 10min);
  CHECK(table.find("$sys.health").keep == Keep::none);
  CHECK(table.find("$sys.producer.p1").keep == Keep::latest);
  CHECK(table.find("x").retain.bytes == 256UL * 1024 * 1024);
  CHECK(table.find("x").retain.count == 100'000);
  CHECK(table.find("x").retain.age == 1h);
}

TEST_CASE("a policy for a type with its key applies to the bare type too") {
  const PolicyTable table({policy("deep.er.*"), policy("all.>")});
  CHECK(found(table, "command-progress") == "command-progress.*");
  CHECK(found(table, "deep.er") == "deep.er.*");
  CHECK(found(table, "all") == "all.>");
  CHECK(found(table, "deep") == ">");
  CHECK(found(table, "command-progress.a.b") == ">");
}

TEST_CASE("yours come before the built-in ones, the first match wins") {
  const PolicyTable table(
      {policy("queue-update", Keep::none), policy("a.*", Keep::none), policy("a.b", Keep::latest)});
  CHECK(table.find("queue-update").keep == Keep::none);
  CHECK(table.find("a.b").keep == Keep::none);
  CHECK(table.all().size() == 3 + builtin_policies().size());
}

TEST_CASE("what no policy matches is not kept") {
  const PolicyTable table({});
  CHECK(table.find("$other.x").keep == Keep::none);
  CHECK(table.find("$other.x").match.text().empty());
}

TEST_CASE("the first policy with a key whose leading segments are the type says where the key is") {
  const PolicyTable table({policy("task-finished.*", Keep::log), policy("mine.*.x", Keep::log, "/a/b"),
                           policy("mine.*", Keep::log, "/later"), policy("build.step", Keep::log, "/n")});
  CHECK(key_of(table, "command-progress") == "/id");
  CHECK(key_of(table, "artifact_published") == "/artifact_type");
  CHECK(key_of(table, "task-finished") == "/taskConfig/id");  // yours has none: the built-in key still holds
  CHECK(key_of(table, "mine") == "/a/b");
  CHECK(key_of(table, "build.step") == "/n");
  CHECK(key_of(table, "build") == "none");
  CHECK(key_of(table, "queue-update") == "none");
  CHECK(key_of(table, "unheard-of") == "none");
}

TEST_CASE("keys are listed once each, and every policy knows its place") {
  const PolicyTable table({policy("mine.*", Keep::log, "/mine"), policy("other.*", Keep::log, "/id")});
  CHECK(table.keys() ==
        std::vector<std::string>{"/mine", "/id", "/taskConfig/id", "/agent_id", "/artifact_type"});
  for (const auto& policy : table.all()) {
    if (!policy.key.empty()) CHECK(table.keys()[table.key_index(policy)] == policy.key);
  }
}

TEST_CASE("a policy's claim is another one when its topics may be others") {
  const auto claim = [](const std::vector<Policy>& own, const std::string& topic) {
    const PolicyTable table(own);
    return table.claim(table.find(topic));
  };
  const auto before = claim({policy("a.*"), policy("b.*")}, "a.1");
  CHECK(claim({policy("b.*"), policy("a.*")}, "a.1") == before);
  CHECK(claim({policy("a.b"), policy("a.*")}, "a.1") != before);
  CHECK(claim({policy("*.b"), policy("a.*")}, "a.1") != before);
  CHECK(claim({policy("a"), policy("a.*")}, "a.1") != before);  // the bare type
  CHECK(claim({policy("a.>")}, "a.1") != before);
  CHECK(claim({policy("a.*")}, "other") != claim({}, "other"));
}
