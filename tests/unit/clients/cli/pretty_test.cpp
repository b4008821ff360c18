#include "clients/cli/pretty.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

using namespace trestle::cli;

namespace {

std::string line(const std::string& payload, PrettyStyle style = {}) {
  setenv("TZ", "UTC", 1);
  tzset();
  return pretty_line("some.topic", 1'700'000'000'123'000, payload, style);
}

}  // namespace

TEST_CASE("a line is time, topic and the members") {
  CHECK(
      line(
          R"({"type":"x","name":"holiday","n":3,"part":1.5,"ok":true,"list":[1,2],"more":{"a":1},"none":null})") ==
      "22:13:20.123 some.topic name=holiday n=3 part=1.5 ok=true list=[2] more={1} none=null");
}

TEST_CASE("progress is a bar") {
  CHECK(line(R"({"type":"command-progress","id":"1","currentStep":"COMPRESSION","percentage":50})") ==
        "22:13:20.123 some.topic [██████████░░░░░░░░░░]  50.0% COMPRESSION");
  CHECK(progress_bar(-5) == "[░░░░░░░░░░░░░░░░░░░░]   0.0%");
  CHECK(progress_bar(1e9) == "[████████████████████] 100.0%");
}

TEST_CASE("streamed text and finished tasks show what matters") {
  CHECK(line(R"({"type":"streaming_output","content":"Hello\nworld"})") ==
        "22:13:20.123 some.topic Hello world");
  CHECK(line(R"({"type":"task-finished","taskConfig":{"name":"post","status":"completed","error":""}})") ==
        "22:13:20.123 some.topic post completed");
  CHECK(
      line(
          R"({"type":"task-finished","taskConfig":{"name":"post","status":"failed","error":"disk full"}})") ==
      "22:13:20.123 some.topic post failed disk full");
}

TEST_CASE("events of known types with other members are shown all the same") {
  CHECK(line(R"({"type":"command-progress","percentage":"much"})") ==
        "22:13:20.123 some.topic percentage=much");
  CHECK(line(R"({"type":"task-finished","taskConfig":7})") == "22:13:20.123 some.topic taskConfig=7");
}

TEST_CASE("nothing in an event can steer the terminal") {
  const std::string shown =
      line("{\"type\":\"x\",\"a\\u001b[2J\":\"\\u001b]0;owned\\u0007\\u009b31m\\u202e\"}", {true, 0});
  CHECK(shown.find("\033[2J") == std::string::npos);
  CHECK(shown.find("\033]") == std::string::npos);
  CHECK(shown.find('\a') == std::string::npos);
  CHECK(shown.find("\xC2\x9B") == std::string::npos);
  CHECK(shown.find("\xE2\x80\xAE") == std::string::npos);
  CHECK(harmless("a\xFF\xC3(\x7F") == "a··(·");
  CHECK(harmless("é 🍕 – ok") == "é 🍕 – ok");
  CHECK(harmless("cut \xF0\x9F") == "cut ··");
}

TEST_CASE("a line is cut to the terminal's width, colours not counted, characters kept whole") {
  CHECK(line(R"({"type":"x","t":"éééééééé"})", {false, 30}) == "22:13:20.123 some.topic t=éééé");
  const std::string coloured = line(R"({"type":"x","t":"éééééééé"})", {true, 30});
  CHECK(coloured.find("éééé") != std::string::npos);
  CHECK(coloured.find("ééééé") == std::string::npos);
}
