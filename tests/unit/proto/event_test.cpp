#include "proto/event.h"

#include <doctest/doctest.h>

#include "tests/unit/proto/allocations.h"

using namespace trestle;

namespace {

EventChecker checker(const std::vector<std::string>& pointers = {}, EventLimits limits = {}) {
  auto made = EventChecker::make(limits, pointers);
  REQUIRE(made);
  return std::move(*made);
}

std::string reject(std::string_view payload, EventLimits limits = {}) {
  EventChecker events = checker({}, limits);
  return std::string(name_of(events.check(payload)));
}

/// What stands at one pointer: its text, "ABSENT", "DUPLICATE" or "OTHER" and what is written there;
/// "REJECTED" for a payload that is refused.
std::string at(const std::string& pointer, std::string_view payload) {
  EventChecker events = checker({pointer});
  if (events.check(payload) != Reject::none) return "REJECTED";
  switch (events.at(0).state) {
    case Found::State::absent: return "ABSENT";
    case Found::State::duplicate: return "DUPLICATE";
    case Found::State::value: return events.at(0).text;
    case Found::State::other: return "OTHER " + std::string(events.at(0).raw);
  }
  return "";
}

/// {"type":"t","x":{"x":…{}…}}, `levels` objects within one another.
std::string nested(std::size_t levels, const std::string& open = "{\"x\":", const std::string& close = "}") {
  std::string text = "{\"type\":\"t\",\"x\":";
  for (std::size_t i = 2; i < levels; ++i) text += open;
  text += open == "[" ? "[]" : "{}";
  for (std::size_t i = 2; i < levels; ++i) text += close;
  return text + "}";
}

std::string pointer_error(const std::string& pointer) {
  const auto made = EventChecker::make({}, {pointer});
  return made ? "" : made.error().message;
}

}  // namespace

TEST_CASE("an event is a JSON object with a string member type") {
  EventChecker events = checker();
  CHECK(events.check(R"({"type":"task-finished","n":[1,-2.5e3,null,true,{}]})") == Reject::none);
  CHECK(events.type() == "task-finished");
  CHECK(events.check(" \r\n\t{ \"type\" : \"\\u0061\\n\" } \n") == Reject::none);
  CHECK(events.type() == "a\n");
  CHECK(events.check(R"({"t\u0079pe":"escaped name"})") == Reject::none);
  CHECK(events.type() == "escaped name");
}

TEST_CASE("what is not JSON is refused") {
  for (const char* bad : {"",
                          " ",
                          "x",
                          "{",
                          "{}}",
                          "{\"type\":\"t\"}x",
                          "{\"type\":\"t\"} {}",
                          "{\"type\":\"t\",}",
                          "{'type':'t'}",
                          "{\"type\":\"t\" \"n\":1}",
                          "{\"type\":\"t\",\"n\":01}",
                          "{\"type\":\"t\",\"n\":NaN}",
                          "{\"type\":\"t\",\"n\":+1}",
                          "{\"type\":\"t\",\"n\":1.}",
                          "{\"type\":\"t\"/**/}",
                          "[1,]",
                          "[1",
                          "{\"type\":\"a\nb\"}",
                          "{\"type\":\"\\x\"}",
                          "{\"type\":\"\\ud800\"}",
                          "{\"type\":\"t",
                          "\xEF\xBB\xBF{\"type\":\"t\"}",
                          "{\"type\":\"t\"}\xFF"}) {
    CAPTURE(bad);
    CHECK(reject(bad) == "not_json");
  }
}

TEST_CASE("a NUL ends nothing") {
  const std::string good = R"({"type":"t"})";
  CHECK(reject(good + '\0') == "not_json");
  CHECK(reject(good + std::string("\0garbage", 8)) == "not_json");
  CHECK(reject(std::string("\0", 1) + good) == "not_json");
  CHECK(reject(std::string("{\"type\":\"t\0\"}", 13)) == "not_json");
  CHECK(reject(std::string("{\"type\":\"t\"\0}", 13)) == "not_json");
}

TEST_CASE("strings are UTF-8") {
  CHECK(reject("{\"type\":\"t\",\"s\":\"é€😀\"}") == "none");
  for (const char* bad : {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    CAPTURE(bad);
    CHECK(reject(std::string("{\"type\":\"t\",\"s\":\"") + bad + "\"}") == "invalid_utf8");
    CHECK(reject(std::string("{\"type\":\"t\",\"") + bad + "\":1}") == "invalid_utf8");
  }
}

TEST_CASE("JSON that is no object is refused") {
  for (const char* bad : {"[]", "[{\"type\":\"t\"}]", "1", "\"type\"", "null", "true"})
    CHECK(reject(bad) == "not_object");
}

TEST_CASE("type must be there, once, at the top, as a string") {
  for (const char* bad : {"{}", R"({"Type":"t"})", R"({"type":1})", R"({"type":null})",
                          R"({"type":{"type":"t"}})", R"({"type":["t"]})", R"({"x":{"type":"t"}})"}) {
    CAPTURE(bad);
    CHECK(reject(bad) == "no_type");
  }
  CHECK(reject(R"({"type":"t","type":"t"})") == "duplicate_member");
  CHECK(reject(R"({"type":"t","x":1,"\u0074ype":"u"})") == "duplicate_member");
  CHECK(reject(R"({"type":1,"type":"t"})") == "duplicate_member");
  CHECK(reject(R"({"type":"t","x":{"type":"u"},"y":{"type":"v"}})") == "none");
  CHECK(reject(R"({"type":"t","x":1,"x":2})") == "none");  // nobody asks for x
}

TEST_CASE("an event may be 64 levels deep") {
  CHECK(reject(nested(64)) == "none");
  CHECK(reject(nested(65)) == "too_deep");
  CHECK(reject(nested(64, "[", "]")) == "none");
  CHECK(reject(nested(65, "[", "]")) == "too_deep");
  CHECK(reject(nested(3), {512, 2}) == "too_deep");
  CHECK(reject(nested(2), {512, 2}) == "none");
  // Stops there: what follows isn't looked at.
  CHECK(reject(std::string(500000, '[')) == "too_deep");
}

TEST_CASE("an event may have max_bytes") {
  const std::string payload = R"({"type":"t"})";
  CHECK(reject(payload, {payload.size(), 64}) == "none");
  CHECK(reject(payload + " ", {payload.size(), 64}) == "too_big");
  CHECK(reject(std::string(512 * 1024 + 1, '\xFF')) == "too_big");
}

TEST_CASE("a pointer finds strings as they mean and numbers as they are written") {
  CHECK(at("/id", R"({"type":"t","id":"a\u00e9\n"})") == "aé\n");
  CHECK(at("/id", R"({"type":"t","id":1.50e+2})") == "1.50e+2");
  CHECK(at("/id", R"({"type":"t","id":-0})") == "-0");
  CHECK(at("/id", R"({"type":"t","id":"\udc00"})") == "\xED\xB0\x80");  // see Found::text
  CHECK(at("/id", R"({"type":"t","id":""})") == "");
  CHECK(at("/id", R"({"id":"before","type":"t"})") == "before");
  CHECK(at("/id", R"({"type":"t","id":12345678901234567890123})") == "12345678901234567890123");
  CHECK(at("/type", R"({"type":"t"})") == "t");
}

TEST_CASE("a pointer finds nothing where there is nothing") {
  for (const char* payload :
       {R"({"type":"t"})", R"({"type":"t","x":{"id":"x"}})", R"({"type":"t","x":[{"id":"x"}]})",
        R"({"type":"t","ID":"x"})", R"({"type":"t","idx":"x"})"}) {
    CAPTURE(payload);
    CHECK(at("/id", payload) == "ABSENT");
  }
}

TEST_CASE("a pointer finds whatever else is there, as it is written") {
  for (const char* value : {"null", "true", "false", "{}", "[]", R"({ "id" : "x", "id":[1 ]})",
                            R"(["x", {"id":"]}"}, [ ] ])", R"({"a":{"b":[null,"\""]}})"}) {
    CAPTURE(value);
    const std::string text(value);
    CHECK(at("/id", R"({"type":"t","id":)" + text + "}") == "OTHER " + text);
    CHECK(at("/id", R"({"id" : )" + text + R"( ,"type":"t"})") == "OTHER " + text);
    CHECK(at("/l/1", R"({"type":"t","l":[1, )" + text + " ]}") == "OTHER " + text);
  }
  CHECK(at("/a/b", R"({"type":"t","a":{"b":{"c":1}}})") == R"(OTHER {"c":1})");
}

TEST_CASE("pointers lead through objects and arrays") {
  CHECK(at("/taskConfig/id", R"({"type":"t","x":{"id":1},"taskConfig":{"y":{"id":2},"id":"3"}})") == "3");
  CHECK(at("/a/b/c", R"({"type":"t","a":{"b":{"c":1}}})") == "1");
  CHECK(at("/a/b/c", R"({"type":"t","a":{"b":"s"}})") == "ABSENT");
  CHECK(at("/list/1", R"({"type":"t","list":["a","b","c"]})") == "b");
  CHECK(at("/list/1/id", R"({"type":"t","list":[{"id":0},{"id":1}]})") == "1");
  CHECK(at("/list/2", R"({"type":"t","list":[[1,2,3],{"x":4},5]})") == "5");
  CHECK(at("/list/10", R"({"type":"t","list":[0,1,2,3,4,5,6,7,8,9,"ten"]})") == "ten");
  CHECK(at("/list/0", R"({"type":"t","list":{"0":"a member called 0"}})") == "a member called 0");
  CHECK(at("/list/01", R"({"type":"t","list":["a","b"]})") == "ABSENT");
  CHECK(at("/list/-", R"({"type":"t","list":["a","b"]})") == "ABSENT");
  CHECK(at("/list/3", R"({"type":"t","list":["a","b"]})") == "ABSENT");
  CHECK(at("/0", R"({"type":"t","0":"x"})") == "x");
}

TEST_CASE("names in pointers are escaped as RFC 6901 says") {
  CHECK(at("/a~1b", R"({"type":"t","a/b":1})") == "1");
  CHECK(at("/a~0b", R"({"type":"t","a~b":1})") == "1");
  CHECK(at("/~01", R"({"type":"t","~1":1})") == "1");
  CHECK(at("/", R"({"type":"t","":1})") == "1");
  CHECK(at("//x", R"({"type":"t","":{"x":1}})") == "1");
  CHECK(at("/é", R"({"type":"t","\u00e9":1})") == "1");
}

TEST_CASE("a member on the way that occurs twice makes a pointer's value doubtful") {
  CHECK(at("/id", R"({"type":"t","id":1,"id":1})") == "DUPLICATE");
  CHECK(at("/id", R"({"type":"t","id":1,"id":null})") == "DUPLICATE");
  CHECK(at("/id", R"({"type":"t","id":null,"\u0069d":1})") == "DUPLICATE");
  CHECK(at("/a/id", R"({"type":"t","a":{"id":1},"a":{}})") == "DUPLICATE");
  CHECK(at("/a/id", R"({"type":"t","a":{},"a":{"id":1}})") == "DUPLICATE");
  CHECK(at("/a/id", R"({"type":"t","a":3,"a":4})") == "DUPLICATE");
  CHECK(at("/a/id", R"({"type":"t","a":{"id":1,"x":1,"x":2},"b":1,"b":2})") == "1");
  CHECK(at("/a/id", R"({"type":"t","b":{"id":1,"id":2},"a":{"id":3}})") == "3");
  CHECK(at("/l/0/id", R"({"type":"t","l":[{"id":1},{"id":2}]})") == "1");
  CHECK(at("/l/1/id", R"({"type":"t","l":[{"id":1},{"id":2,"id":3}]})") == "DUPLICATE");
}

TEST_CASE("many pointers share one pass, also along common paths") {
  EventChecker events = checker({"/a", "/a/b", "/a/c", "/d/0", "/a/b", "/type/x"});
  CHECK(events.check(R"({"type":"t","a":{"b":1,"c":"two"},"d":[3]})") == Reject::none);
  CHECK(events.at(0).state == Found::State::other);
  CHECK(events.at(0).raw == R"({"b":1,"c":"two"})");
  CHECK(events.at(1).text == "1");
  CHECK(events.at(2).text == "two");
  CHECK(events.at(3).text == "3");
  CHECK(events.at(4).text == "1");
  CHECK(events.at(5).state == Found::State::absent);
  CHECK(events.check(R"({"type":"t","a":{"b":1,"b":2,"c":3}})") == Reject::none);
  CHECK(events.at(1).state == Found::State::duplicate);
  CHECK(events.at(4).state == Found::State::duplicate);
  CHECK(events.at(2).text == "3");
}

TEST_CASE("nothing of one event shows in the next") {
  EventChecker events = checker({"/id"});
  CHECK(events.check(R"({"type":"long-type","id":"x","id":"y"})") == Reject::none);
  CHECK(events.check(R"({"type":"t","id":"z")") == Reject::not_json);
  CHECK(events.check(R"({"type":"t","id":"w"})") == Reject::none);
  CHECK(events.type() == "t");
  CHECK(events.at(0).text == "w");
  CHECK(events.check(R"({"type":"t"})") == Reject::none);
  CHECK(events.at(0).state == Found::State::absent);
  CHECK(events.at(0).text.empty());
  CHECK(events.check(nested(65)) == Reject::too_deep);
  CHECK(events.check("{}") == Reject::no_type);
}

TEST_CASE("texts that are not pointers to a member are errors that say so") {
  CHECK(pointer_error("").find("empty") != std::string::npos);
  CHECK(pointer_error("id").find("must start with '/'") != std::string::npos);
  CHECK(pointer_error("/a~").find("~0") != std::string::npos);
  CHECK(pointer_error("/a~2").find("\"/a~2\"") != std::string::npos);
  CHECK(pointer_error("/a~1/~").find("~1") != std::string::npos);
  CHECK(pointer_error("/ok") == "");
  CHECK(EventChecker::make({}, std::vector<std::string>(64, "/a")).has_value());
  CHECK(EventChecker::make({}, std::vector<std::string>(65, "/a")).error().message.find("at most 64") !=
        std::string::npos);
}

TEST_CASE("checking allocates nothing once warm") {
  EventChecker events = checker({"/id", "/taskConfig/id", "/list/1"});
  const std::string payload =
      R"({"type":"a-type-longer-than-a-small-string","id":"0b6f3c1e-8c1b-4f7e-9a52-1b9d6a7f0c11","list":[1,"a string too long to be small, too"]})";
  CHECK(events.check(payload) == Reject::none);
  const std::size_t before = allocations();
  bool good = true;
  for (int i = 0; i < 10; ++i) good = good && events.check(payload) == Reject::none;
  CHECK(allocations() == before);
  CHECK(good);
}

TEST_CASE("a checker can be moved") {
  EventChecker events = checker({"/id"});
  EventChecker other = std::move(events);
  CHECK(other.check(R"({"type":"t","id":5})") == Reject::none);
  CHECK(other.at(0).text == "5");
}
