#include "proto/request.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

Request good(std::string_view text) {
  auto parsed = parse_request(text);
  if (!parsed) FAIL(parsed.error().message);
  return std::move(*parsed);
}
/// "<code> <id>: <message>" of a request that is wrong.
std::string wrong(std::string_view text) {
  const auto parsed = parse_request(text);
  if (parsed) return "no error";
  return parsed.error().code + " " + parsed.error().id + ": " + parsed.error().message;
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
bool starts(const std::string& text, const std::string& head) {
  return text.compare(0, head.size(), head) == 0;
}
std::string texts(const Request& request) {
  std::string out;
  for (const Pattern& p : request.topics) out += p.text() + " ";
  return out;
}

}  // namespace

TEST_CASE("subscribe and unsubscribe name patterns") {
  const Request list = good(R"({"type":"subscribe","id":7,"topics":["a.*","b"]})");
  CHECK(list.kind == Request::Kind::subscribe);
  CHECK(list.id == "7");
  CHECK(texts(list) == "a.* b ");
  CHECK_FALSE(list.since);
  CHECK(texts(good(R"({"type":"subscribe","topics":"a.*,b"})")) == "a.* b ");
  CHECK(good(R"({"type":"subscribe","topics":["a"],"since":"1:2"})").since == "1:2");
  const Request leave = good(R"({"type":"unsubscribe","id":"x","topics":">"})");
  CHECK(leave.kind == Request::Kind::unsubscribe);
  CHECK(texts(leave) == "> ");
}

TEST_CASE("the other requests") {
  CHECK(good(R"({"type":"ping","id":1})").kind == Request::Kind::ping);
  CHECK(good(R"({"type":"status"})").kind == Request::Kind::status);
  CHECK(good(R"({"type":"status"})").id == "");
  const Request auth = good(R"({"type":"auth","token":"s3cret"})");
  CHECK(auth.kind == Request::Kind::auth);
  CHECK(auth.token == "s3cret");
  const Request command = good(R"({"type":"command","id":"c","topic":"queue.pause","data": { "a" : 1.0 } })");
  CHECK(command.kind == Request::Kind::command);
  CHECK(command.topic == "queue.pause");
  CHECK(command.data == R"({ "a" : 1.0 })");
  CHECK(good(R"({"type":"command","topic":"t"})").data == "null");
}

TEST_CASE("an id is repeated as it was written") {
  CHECK(good(R"({"type":"ping","id":"a\u00e9\"b"})").id == R"("a\u00e9\"b")");
  CHECK(good(R"({"type":"ping", "id" : -1.50e2 })").id == "-1.50e2");
  CHECK(good("{\"type\":\"ping\",\"id\":\"" + std::string(126, 'x') + "\"}").id.size() == 128);
}

TEST_CASE("ids that are none are refused") {
  for (const char* id : {"null", "true", "[]", "{}"}) {
    CHECK(wrong("{\"type\":\"ping\",\"id\":" + std::string(id) + "}") ==
          "bad_request : \"id\" must be a string or a number");
  }
  CHECK(wrong("{\"type\":\"ping\",\"id\":\"" + std::string(127, 'x') + "\"}") ==
        "bad_request : \"id\" must be at most 128 bytes");
}

TEST_CASE("what is not a request is a bad_request, with its id as far as it could be read") {
  CHECK(starts(wrong(""), "bad_request : not JSON"));
  CHECK(starts(wrong("hello"), "bad_request : not JSON"));
  CHECK(starts(wrong("[]"), "bad_request : not a JSON object"));
  CHECK(starts(wrong("[{\"id\":1}]"), "bad_request : not a JSON object"));
  CHECK(starts(wrong(R"({"id":7,"type":)"), "bad_request 7: not JSON"));
  CHECK(starts(wrong(R"({"id":"x"} y)"), "bad_request \"x\": not JSON"));
  CHECK(wrong(R"({"id":7})") == "bad_request 7: \"type\" must be a string");
  CHECK(wrong(R"({"id":7,"type":1})") == "bad_request 7: \"type\" must be a string");
  CHECK(wrong(R"({"type":"ping","id":7,"type":"status"})") == "bad_request 7: \"type\" occurs twice");
  CHECK(starts(wrong("{\"id\":1,\"type\":\"ping\",\"x\":\"\xFF\"}"), "bad_request 1: not JSON"));
}

TEST_CASE("an unknown request is told the known ones") {
  CHECK(wrong(R"({"type":"subscripe","id":7})") ==
        "unknown_request 7: there is no request \"subscripe\"; the known ones are subscribe, unsubscribe, "
        "auth, ping, status, command");
}

TEST_CASE("members of the wrong kind are bad requests") {
  const std::string topics = "bad_request 7: \"topics\" must be";
  CHECK(starts(wrong(R"({"type":"subscribe","id":7})"), topics));
  CHECK(starts(wrong(R"({"type":"subscribe","id":7,"topics":1})"), topics));
  CHECK(starts(wrong(R"({"type":"subscribe","id":7,"topics":["a",1]})"), topics));
  CHECK(starts(wrong(R"({"type":"subscribe","id":7,"topics":[]})"),
               "bad_request 7: \"topics\" must hold at least one"));
  CHECK(starts(wrong(R"({"type":"unsubscribe","id":7,"topics":""})"),
               "bad_request 7: \"topics\" must hold at least one"));
  CHECK(starts(wrong(R"({"type":"subscribe","id":7,"topics":"a","since":5})"), "bad_request 7: \"since\""));
  CHECK(starts(wrong(R"({"type":"auth","id":7})"), "bad_request 7: \"token\""));
  CHECK(starts(wrong(R"({"type":"auth","id":7,"token":""})"), "bad_request 7: \"token\""));
  CHECK(starts(wrong(R"({"type":"command","id":7})"), "bad_request 7: \"topic\""));
}

TEST_CASE("a bad pattern or topic is a bad_topic that says why") {
  CHECK(wrong(R"({"type":"subscribe","id":7,"topics":["a","b..c"]})") ==
        "bad_topic 7: \"b..c\": segment 2 is empty");
  CHECK(wrong(R"({"type":"subscribe","id":7,"topics":"a,b..c"})") ==
        "bad_topic 7: \"b..c\": segment 2 is empty");
  CHECK(starts(wrong(R"({"type":"command","id":7,"topic":"a.*"})"), "bad_topic 7: "));
  CHECK(starts(wrong(R"({"type":"command","id":7,"topic":"$sys.x"})"), "bad_topic 7: "));
}

TEST_CASE("a request names at most 256 patterns") {
  std::string list = "\"a\"";
  for (int i = 1; i < 256; ++i) list += ",\"a\"";
  CHECK(good(R"({"type":"subscribe","topics":[)" + list + "]}").topics.size() == 256);
  CHECK(contains(wrong(R"({"type":"subscribe","topics":[)" + list + ",\"a\"]}"), "at most 256"));
}

TEST_CASE("a request's depth is bounded") {
  CHECK(contains(wrong(R"({"id":3,"type":"command","data":)" + std::string(100000, '[')),
                 "bad_request 3: nested more than 64"));
}

TEST_CASE("an error never repeats a token") {
  CHECK_FALSE(contains(wrong(R"({"type":"auth","id":1,"token":["s3cret"]})"), "s3cret"));
  CHECK_FALSE(contains(wrong(R"({"type":"auth","id":1,"token":"s3cret)"), "s3cret"));
}

TEST_CASE("replies repeat the id") {
  CHECK(reply("subscribed", "7", R"("topics":["a"])") ==
        R"({"success":true,"data":{"type":"subscribed","id":7,"topics":["a"]}})");
  CHECK(reply("pong", "\"x\"", "") == R"({"success":true,"data":{"type":"pong","id":"x"}})");
  CHECK(reply("pong", "", "") == R"({"success":true,"data":{"type":"pong"}})");
  CHECK(error_reply({"7", "forbidden", "not \"you\""}) ==
        R"({"success":false,"data":{"type":"error","code":"forbidden","message":"not \"you\"","id":7}})");
  CHECK(error_reply({"", "bad_request", "x"}) ==
        R"({"success":false,"data":{"type":"error","code":"bad_request","message":"x"}})");
}
