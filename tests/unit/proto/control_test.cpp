#include "proto/control.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

const std::string kHead = R"("v":1,"producer":"me-1","epoch":7)";

std::string producer_error(const std::string& json) {
  const auto decoded = decode_from_producer(json);
  return decoded ? "" : decoded.error().message;
}
std::string bridge_error(const std::string& json) {
  const auto decoded = decode_from_bridge(json);
  return decoded ? "" : decoded.error().message;
}
std::string message(const std::string& type, const std::string& members) {
  return "{\"type\":\"" + type + "\"," + kHead + (members.empty() ? "" : ",") + members + "}";
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

FromProducer from_producer(FromProducer::Kind kind) {
  FromProducer out;
  out.kind = kind;
  out.producer = "me-1";
  out.epoch = 7;
  return out;
}
FromBridge from_bridge(FromBridge::Kind kind) {
  FromBridge out;
  out.kind = kind;
  out.producer = "me-1";
  out.epoch = 7;
  return out;
}

}  // namespace

TEST_CASE("a producer's messages as they are on the wire") {
  FromProducer hello = from_producer(FromProducer::Kind::hello);
  hello.first = 3, hello.last = 9, hello.acked = 2;
  CHECK(encode(hello) == message("hello", R"("first":3,"last":9,"acked":2)"));
  FromProducer beat = from_producer(FromProducer::Kind::beat);
  beat.first = 10, beat.last = 9;
  CHECK(encode(beat) == message("beat", R"("first":10,"last":9)"));
  FromProducer gone = from_producer(FromProducer::Kind::gone);
  gone.from = 1, gone.to = 2;
  CHECK(encode(gone) == message("gone", R"("from":1,"to":2)"));
  FromProducer result = from_producer(FromProducer::Kind::result);
  result.id = "c\"1", result.success = true, result.data = R"({"a":[1]})";
  CHECK(encode(result) == message("result", R"("id":"c\"1","success":true,"data":{"a":[1]})"));
  result.data.clear();
  CHECK(encode(result) == message("result", R"("id":"c\"1","success":true,"data":null)"));
  FromProducer bye = from_producer(FromProducer::Kind::bye);
  bye.last = 9;
  CHECK(encode(bye) == message("bye", R"("last":9)"));
}

TEST_CASE("the bridge's messages as they are on the wire") {
  FromBridge ack = from_bridge(FromBridge::Kind::ack);
  ack.seq = 9;
  CHECK(encode(ack) == message("ack", R"("seq":9,"lost":[])"));
  ack.lost = {{1, 2}, {4, 4}};
  CHECK(encode(ack) == message("ack", R"("seq":9,"lost":[[1,2],[4,4]])"));
  FromBridge welcome = from_bridge(FromBridge::Kind::welcome);
  welcome.seq = 5;
  CHECK(encode(welcome) == message("welcome", R"("seq":5)"));
  FromBridge replay = from_bridge(FromBridge::Kind::replay);
  replay.from = 3, replay.to = 4;
  CHECK(encode(replay) == message("replay", R"("from":3,"to":4)"));
  FromBridge refused = from_bridge(FromBridge::Kind::refused);
  refused.reason = "in_use";
  CHECK(encode(refused) == message("refused", R"("reason":"in_use")"));
  FromBridge command = from_bridge(FromBridge::Kind::command);
  command.id = "1", command.topic = "a.b", command.data = "[1]";
  CHECK(encode(command) == message("command", R"("id":"1","topic":"a.b","data":[1])"));
}

TEST_CASE("a producer's messages come back as they were") {
  for (const auto kind : {FromProducer::Kind::hello, FromProducer::Kind::beat, FromProducer::Kind::gone,
                          FromProducer::Kind::result, FromProducer::Kind::bye}) {
    FromProducer sent = from_producer(kind);
    sent.first = 3, sent.last = kIntegerLimit - 1, sent.acked = 2, sent.from = 4, sent.to = 8;
    sent.id = "id", sent.success = true, sent.data = "{ \"as\" :\"it is\" }";
    const auto got = decode_from_producer(encode(sent));
    REQUIRE(got);
    CHECK(got->kind == kind);
    CHECK(got->producer == "me-1");
    CHECK(got->epoch == 7);
    CHECK(encode(*got) == encode(sent));
  }
}

TEST_CASE("the bridge's messages come back as they were") {
  for (const auto kind : {FromBridge::Kind::welcome, FromBridge::Kind::ack, FromBridge::Kind::replay,
                          FromBridge::Kind::refused, FromBridge::Kind::command}) {
    FromBridge sent = from_bridge(kind);
    sent.seq = 4, sent.lost = {{1, 2}, {3, 3}}, sent.from = 4, sent.to = 8;
    sent.reason = "in_use", sent.id = "x", sent.topic = "t", sent.data = "\"é\\u00e9\"";
    const auto got = decode_from_bridge(encode(sent));
    REQUIRE(got);
    CHECK(got->kind == kind);
    CHECK(got->producer == "me-1");
    CHECK(encode(*got) == encode(sent));
  }
}

TEST_CASE("data is taken as it is written, and is null when absent") {
  const auto with =
      decode_from_producer(message("result", R"("id":"1","success":false, "data" : { "a" : [ 1.0 ,{}] } )"));
  REQUIRE(with);
  CHECK(with->data == R"({ "a" : [ 1.0 ,{}] })");
  CHECK_FALSE(with->success);
  CHECK(decode_from_producer(message("result", R"("id":"1","success":true)"))->data == "null");
  CHECK(decode_from_bridge(message("command", R"("id":"1","topic":"t")"))->data == "null");
}

TEST_CASE("a newer peer's members are ignored, in any order") {
  CHECK(
      producer_error(
          R"({"new":{"type":"x"},"last":9,"first":1,"epoch":7,"producer":"me","v":1,"type":"beat","more":[]})") ==
      "");
  CHECK(bridge_error(message("ack", R"("seq":1,"extra":[[]])")) == "");
  CHECK(decode_from_bridge(message("ack", R"("seq":1)"))->lost.empty());
  CHECK(decode_from_producer(message("hello", R"("first":1,"last":0)"))->acked == 0);
}

TEST_CASE("errors name the member at fault") {
  CHECK(contains(producer_error(""), "not JSON"));
  CHECK(contains(producer_error("[]"), "not a JSON object"));
  CHECK(contains(producer_error("{}x"), "not JSON"));
  CHECK(contains(producer_error(message("beat", R"("first":1,"last":2)") + std::string("\0", 1)), "NUL"));
  CHECK(contains(producer_error("{\"type\":\"\xFF\"}"), "not JSON"));
  CHECK(contains(producer_error("{}"), "\"type\" must be a string"));
  CHECK(producer_error(message("welcome", "")) == "\"type\" must be one of hello, beat, gone, result, bye");
  CHECK(bridge_error(message("hello", "")) ==
        "\"type\" must be one of welcome, ack, replay, refused, command");
  CHECK(contains(producer_error(R"({"type":"bye","producer":"me","epoch":7,"last":1})"), "\"v\""));
  CHECK(contains(producer_error(R"({"type":"bye","v":2,"producer":"me","epoch":7,"last":1})"),
                 "\"v\" must be 1"));
  CHECK(contains(producer_error(R"({"type":"bye","v":1,"epoch":7,"last":1})"), "\"producer\""));
  CHECK(contains(producer_error(R"({"type":"bye","v":1,"producer":"a.b","epoch":7,"last":1})"),
                 "\"producer\""));
  CHECK(
      contains(producer_error(R"({"type":"bye","v":1,"producer":"me","epoch":"7","last":1})"), "\"epoch\""));
  CHECK(contains(producer_error(message("hello", R"("last":1)")), "\"first\""));
  CHECK(contains(producer_error(message("beat", R"("first":1)")), "\"last\""));
  CHECK(contains(producer_error(message("gone", R"("from":1)")), "\"to\""));
  CHECK(contains(producer_error(message("bye", "")), "\"last\""));
  CHECK(contains(producer_error(message("result", R"("success":true)")), "\"id\""));
  CHECK(contains(producer_error(message("result", R"("id":"1","success":1)")),
                 "\"success\" must be true or false"));
  CHECK(contains(bridge_error(message("welcome", "")), "\"seq\""));
  CHECK(contains(bridge_error(message("replay", R"("to":1)")), "\"from\""));
  CHECK(contains(bridge_error(message("refused", "")), "\"reason\""));
  CHECK(contains(bridge_error(message("command", R"("id":"1")")), "\"topic\""));
}

TEST_CASE("a member that occurs twice is refused, as parsers differ on which one counts") {
  CHECK(producer_error(message("bye", R"("last":1,"last":2)")) == "\"last\" occurs twice");
  CHECK(producer_error(message("bye", R"("last":1,"x":{"last":2})")) == "");
}

TEST_CASE("ranges have an order") {
  CHECK(producer_error(message("beat", R"("first":3,"last":2)")) == "");
  CHECK(contains(producer_error(message("beat", R"("first":4,"last":2)")),
                 "\"first\" must be at most \"last\" + 1"));
  CHECK(producer_error(message("gone", R"("from":2,"to":2)")) == "");
  CHECK(contains(producer_error(message("gone", R"("from":3,"to":2)")), "\"from\""));
  CHECK(contains(bridge_error(message("replay", R"("from":3,"to":2)")), "\"from\""));
  for (const char* bad : {"[[2,1]]", "[[1]]", "[[1,2,3]]", "[1,2]", "{}", "[[1,\"2\"]]", "[[-1,2]]",
                          "[[1,9007199254740992]]", "[[1,2.5]]"}) {
    CAPTURE(bad);
    CHECK(contains(bridge_error(message("ack", R"("seq":1,"lost":)" + std::string(bad))), "\"lost\""));
  }
}

TEST_CASE("integers lie in [0, 2^53)") {
  CHECK(producer_error(message("bye", "\"last\":0")) == "");
  CHECK(producer_error(message("bye", "\"last\":9007199254740991")) == "");
  for (const char* bad :
       {"9007199254740992", "18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "null", "true", "[1]"}) {
    CAPTURE(bad);
    CHECK(producer_error(message("bye", "\"last\":" + std::string(bad))) ==
          "\"last\" must be an integer from 0 to 2^53 - 1");
  }
}

TEST_CASE("depth is bounded") {
  const auto deep = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK(producer_error(message("bye", "\"last\":1,\"x\":" + deep(63))) == "");
  CHECK(contains(producer_error(message("bye", "\"last\":1,\"x\":" + deep(64))), "64 levels"));
  CHECK(contains(producer_error(std::string(1000000, '[')), "64 levels"));
}
