#include "proto/redaction.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

Redaction redaction(const std::vector<std::string>& pointers) {
  auto made = Redaction::make(pointers);
  REQUIRE(made);
  return *made;
}

/// What is left, or "NO JSON".
std::string left(const std::vector<std::string>& pointers, std::string_view json) {
  return redaction(pointers).apply(json).value_or("NO JSON");
}

bool ambiguous(const std::vector<std::string>& pointers, std::string_view json) {
  return redaction(pointers).is_ambiguous(json);
}

std::string problem(const std::vector<std::string>& pointers) {
  const auto made = Redaction::make(pointers);
  return made ? "none" : made.error().message;
}

}  // namespace

TEST_CASE("a member goes with its name and one comma, and nothing else changes") {
  CHECK(left({"/a"}, R"({"a":1,"b":2,"c":3})") == R"({"b":2,"c":3})");
  CHECK(left({"/b"}, R"({"a":1,"b":2,"c":3})") == R"({"a":1,"c":3})");
  CHECK(left({"/c"}, R"({"a":1,"b":2,"c":3})") == R"({"a":1,"b":2})");
  CHECK(left({"/a"}, R"({"a":1})") == "{}");
  CHECK(left({"/x"}, R"({"a":1})") == R"({"a":1})");
  CHECK(left({"/a", "/b"}, R"({"a":1,"b":2,"c":3})") == R"({"c":3})");
  CHECK(left({"/b", "/c"}, R"({"a":1,"b":2,"c":3})") == R"({"a":1})");
  CHECK(left({"/a", "/c"}, R"({"a":1,"b":2,"c":3})") == R"({"b":2})");
  CHECK(left({"/c", "/b", "/a"}, R"({"a":1,"b":2,"c":3})") == "{}");
}

TEST_CASE("white space stays where it was") {
  CHECK(left({"/a"}, " { \"a\" : 1 , \"b\" : 2 } \n") == " { \"b\" : 2 } \n");
  CHECK(left({"/b"}, " { \"a\" : 1 , \"b\" : 2 } \n") == " { \"a\" : 1 } \n");
  CHECK(left({"/a"}, "{\n  \"a\": [1,\n 2]\n}") == "{\n}");
  CHECK(left({"/l/0"}, "{\"l\":[ 1 , 2 ]}") == "{\"l\":[ null , 2 ]}");
}

TEST_CASE("whatever the value is") {
  for (const auto* value : {"null", "true", "false", "-1.5e-300", "1e300", "0", R"("")", R"("\"}],{\\")",
                            "{}", "[]", R"({"a":{"a":[{"a":"]}"}]}})", R"([[["a"],{"b":1}]])"}) {
    const std::string text = value;
    INFO(text);
    CHECK(left({"/s"}, "{\"s\":" + text + "}") == "{}");
    CHECK(left({"/s"}, "{\"s\":" + text + ",\"t\":" + text + "}") == "{\"t\":" + text + "}");
    CHECK(left({"/s"}, "{\"t\":" + text + ",\"s\":" + text + "}") == "{\"t\":" + text + "}");
    CHECK(left({"/l/1"}, "{\"l\":[" + text + "," + text + "," + text + "]}") ==
          "{\"l\":[" + text + ",null," + text + "]}");
  }
}

TEST_CASE("a pointer leads through objects and arrays") {
  CHECK(left({"/task/env/key"}, R"({"task":{"env":{"key":"s","k":1},"key":2},"key":3})") ==
        R"({"task":{"env":{"k":1},"key":2},"key":3})");
  CHECK(left({"/l/1/s"}, R"({"l":[{"s":1},{"s":2},{"s":3}]})") == R"({"l":[{"s":1},{},{"s":3}]})");
  CHECK(left({"/l/01"}, R"({"l":[1,2]})") == R"({"l":[1,2]})");
  CHECK(left({"/l/-"}, R"({"l":[1,2]})") == R"({"l":[1,2]})");
  CHECK(left({"/a/b"}, R"({"a":"b"})") == R"({"a":"b"})");
  CHECK(left({"/a/0"}, R"({"a":{"0":1,"1":2}})") == R"({"a":{"1":2}})");
}

TEST_CASE("of pointers where one leads through another the shorter one counts") {
  CHECK(left({"/a", "/a/b"}, R"({"a":{"b":1,"c":2},"d":3})") == R"({"d":3})");
  CHECK(left({"/a/b", "/a"}, R"({"a":{"b":1,"c":2},"d":3})") == R"({"d":3})");
  CHECK(left({"/l", "/l/0"}, R"({"l":[1]})") == "{}");
}

TEST_CASE("* is every element and every member") {
  CHECK(left({"/steps/*/output"}, R"({"steps":[{"output":"s","n":1},{"n":2},3,{"output":4}]})") ==
        R"({"steps":[{"n":1},{"n":2},3,{}]})");
  CHECK(left({"/steps/*/output"}, R"({"steps":{"x":{"output":"s","n":1},"y":{"output":1}}})") ==
        R"({"steps":{"x":{"n":1},"y":{}}})");
  CHECK(left({"/args/*"}, R"({"args":["a",["b"],{}],"n":1})") == R"({"args":[null,null,null],"n":1})");
  CHECK(left({"/env/*"}, R"({"env":{"A":1,"B":{"C":2}},"n":1})") == R"({"env":{},"n":1})");
  CHECK(left({"/a/*/x", "/a/0/y"}, R"({"a":[{"x":1,"y":2},{"x":3,"y":4}]})") == R"({"a":[{},{"y":4}]})");
  CHECK(left({"/a/*"}, R"({"a":{"*":1}})") == R"({"a":{}})");
}

TEST_CASE("a name is what it means, not how it is written") {
  CHECK(left({"/password"}, R"({"pass\u0077ord":"s","n":1})") == R"({"n":1})");
  CHECK(left({"/password"}, R"({"\u0070\u0061\u0073\u0073\u0077\u006F\u0072\u0064":"s"})") == "{}");
  CHECK(left({"/pass~1w~0rd"}, R"({"pass\/w~rd":"s"})") == "{}");
  CHECK(left({"/g\xc3\xa9heim"}, R"({"g\u00E9heim":"s"})") == "{}");
  CHECK(left({"/g\xc3\xa9heim"}, "{\"g\xc3\xa9heim\":\"s\"}") == "{}");
  CHECK(left({"/\xf0\x9f\x94\x91"}, R"({"\ud83d\udd11":"s"})") == "{}");
  CHECK(left({"/a\"b\\"}, R"({"a\"b\\":"s"})") == "{}");
  CHECK(left({"/"}, R"({"":"s","a":1})") == R"({"a":1})");
  CHECK(left({"/password"}, R"({"Password":1,"password ":2,"password\u0000":3})") ==
        R"({"Password":1,"password ":2,"password\u0000":3})");
}

TEST_CASE("a member that is there twice goes twice, and is told") {
  CHECK(left({"/s"}, R"({"s":1,"n":2,"s":3})") == R"({"n":2})");
  CHECK(left({"/s"}, R"({"s":1,"\u0073":3})") == "{}");
  CHECK(left({"/a/s"}, R"({"a":{"s":1},"a":{"s":2,"n":3}})") == R"({"a":{},"a":{"n":3}})");
  CHECK(ambiguous({"/s"}, R"({"s":1,"n":2,"s":3})"));
  CHECK(ambiguous({"/s"}, R"({"s":1,"\u0073":3})"));
  CHECK(ambiguous({"/a/s"}, R"({"a":{"s":1},"a":{"n":3}})"));
  CHECK(ambiguous({"/a/*/s"}, R"({"a":[{"n":1},{"s":1,"s":2}]})"));
  CHECK(ambiguous({"/a/*/s"}, R"({"a":{"x":1,"x":2}})"));
  CHECK_FALSE(ambiguous({"/a/s"}, R"({"a":{"s":1},"b":{"s":2},"s":3,"n":4,"n":5})"));
  CHECK_FALSE(ambiguous({"/a/*/s"}, R"({"a":[{"s":1},{"s":2}]})"));
  CHECK_FALSE(ambiguous({"/s"}, R"({"s":{"x":1,"x":2}})"));  // it goes as a whole
}

TEST_CASE("of what is no JSON nothing is left") {
  for (const auto* text :
       {"", "{", R"({"s":1)", R"({"s":1,})", R"({"s":1}})", R"({"s":1} x)", R"({"s" 1})", R"({s:1})"}) {
    CHECK(left({"/s"}, text) == "NO JSON");
    CHECK_FALSE(ambiguous({"/s"}, text));
  }
  CHECK(left({"/s"}, std::string_view("{\"s\":1}\0{\"s\":2}", 15)) == "NO JSON");
}

TEST_CASE("nesting costs no stack") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "[{\"a\":";
  deep += "1";
  for (int i = 0; i < 100'000; ++i) deep += "}]";
  CHECK(left({"/*/a/*/a"}, deep) == R"([{"a":[{}]}])");
}

TEST_CASE("a pointer that is none is named") {
  CHECK(problem({"/ok", "no"}) ==
        "\"no\" is not a JSON pointer to a member: it must start with '/', for example \"/id\"");
  CHECK(problem({""}).find("which means the whole event") != std::string::npos);
  CHECK(problem({"/a~2"}).find("'~' must be written ~0") != std::string::npos);
  CHECK(problem(std::vector<std::string>(64, "/a")) == "none");
  CHECK(problem(std::vector<std::string>(65, "/a")) == "65 JSON pointers, at most 64 are possible");
}
