#include <doctest/doctest.h>

#include "clients/pipeline/protocol.h"

using namespace trestle::pipeline;

namespace {

std::string problem(const char* json) {
  const auto message = decode_to_queue(json);
  return message ? "understood" : message.error().message;
}

}  // namespace

TEST_CASE("a worker's messages arrive as they were sent") {
  ToQueue sent;
  sent.worker = "compressor-1";
  SUBCASE("ready") {
    sent.kind = ToQueue::Kind::ready;
    sent.stage = Stage::upload;
    CHECK(encode(sent) == R"({"type":"ready","v":1,"worker":"compressor-1","queue":"upload"})");
  }
  SUBCASE("heartbeat") {
    sent.kind = ToQueue::Kind::heartbeat;
    sent.lease = 7;
    CHECK(encode(sent) == R"({"type":"heartbeat","v":1,"worker":"compressor-1","lease":7})");
  }
  const auto got = decode_to_queue(encode(sent));
  REQUIRE(got);
  CHECK(got->kind == sent.kind);
  CHECK(got->worker == sent.worker);
  CHECK(got->stage == sent.stage);
  CHECK(got->lease == sent.lease);
}

TEST_CASE("a result carries what each tool said, to the byte") {
  ToQueue sent;
  sent.kind = ToQueue::Kind::result;
  sent.worker = "w";
  sent.lease = 3;
  sent.outcome.retry = true;
  sent.outcome.error = "curl failed with exit code 7";
  sent.outcome.files = {"/a b", "/\"c\""};
  ToolOutput tool;
  tool.command = "curl -T 'a b'";
  tool.output = "line\n\"quoted\" \\ \t é";
  tool.exit_code = 7;
  tool.progress = 12.5;
  tool.started = 1'761'912'000'000'001;
  tool.finished = 1'761'912'000'000'002;
  sent.outcome.upload = tool;
  const auto got = decode_to_queue(encode(sent));
  REQUIRE(got);
  CHECK(got->outcome.files == sent.outcome.files);
  CHECK(got->outcome.retry);
  CHECK_FALSE(got->outcome.success);
  CHECK_FALSE(got->outcome.compress);
  REQUIRE(got->outcome.upload);
  CHECK(got->outcome.upload->output == tool.output);
  CHECK(got->outcome.upload->exit_code == 7);
  CHECK(got->outcome.upload->progress == 12.5);
  CHECK(got->outcome.upload->started == tool.started);
  CHECK(got->outcome.upload->finished == tool.finished);
}

TEST_CASE("a lease carries the task") {
  ToWorker sent;
  sent.kind = ToWorker::Kind::lease;
  sent.lease = 9;
  sent.expires = std::chrono::milliseconds(5000);
  sent.task.id = "id";
  sent.task.name = "name";
  sent.task.source = "/source";
  sent.task.files = {"/work/name.7z"};
  const auto got = decode_to_worker(encode(sent));
  REQUIRE(got);
  CHECK(got->kind == ToWorker::Kind::lease);
  CHECK(got->lease == 9);
  CHECK(got->expires == sent.expires);
  CHECK(got->task.source == "/source");
  CHECK(got->task.files == sent.task.files);
  const auto revoke = decode_to_worker(R"({"type":"revoke","v":1,"lease":9})");
  REQUIRE(revoke);
  CHECK(revoke->kind == ToWorker::Kind::revoke);
}

TEST_CASE("what is not understood is named") {
  CHECK(problem("{") == "not JSON, at byte 1");
  CHECK(problem("[]") == "not a JSON object");
  CHECK(problem(R"({"type":"list"})") == "\"v\" must be 1");
  CHECK(problem(R"({"type":"list","v":2})") == "\"v\" must be 1");
  CHECK(problem(R"({"v":1})") == "\"type\" must be a string");
  CHECK(problem(R"({"v":1,"type":"dance"})") == "unknown \"type\": dance");
  CHECK(problem(R"({"v":1,"type":"ready","queue":"upload"})") == "ready: \"worker\" must be a string");
  CHECK(problem(R"({"v":1,"type":"heartbeat","worker":"w"})") == "heartbeat: \"lease\" must be a number");
  CHECK(problem(R"({"v":1,"type":"pause","queue":"lunch"})") ==
        "pause: \"queue\": \"lunch\" is not a queue; there are compression and upload");
  CHECK(problem(R"({"v":1,"type":"list","more":[1,2]})") == "understood");
}
