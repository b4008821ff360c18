#include <doctest/doctest.h>
#include <unistd.h>

#include "clients/cli/event_input.h"
#include "clients/cli/line_reader.h"
#include "clients/cli/pub.h"
#include "clients/cli/stop_signal.h"
#include "proto/topic.h"

using namespace trestle;
using namespace trestle::cli;

namespace {

std::string problem(const std::string& event, const std::string& topic = "") {
  return EventInput(topic).problem(event).value_or("none");
}

/// A pipe whose writing end is closed after `text`.
struct Input {
  explicit Input(const std::string& text) {
    REQUIRE(pipe(fds) == 0);
    REQUIRE(write(fds[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(fds[1]);
  }
  ~Input() { close(fds[0]); }
  int fds[2];
};

std::string lines_of(const std::string& text, std::size_t max_line = 10) {
  const Input input(text);
  const StopSignal stop;
  LineReader reader(input.fds[0], stop.fd(), max_line);
  std::string out;
  while (const auto line = reader.next()) {
    out += std::to_string(line->number) + "[" + line->text + "]" + (line->too_long ? "!" : "");
  }
  return out;
}

}  // namespace

TEST_CASE("events are judged as the bridge would") {
  CHECK(problem(R"({"type":"a"})") == "none");
  CHECK(problem("{") == "not_json: not JSON");
  CHECK(problem("[1]") == "not_object: JSON, but not an object");
  CHECK(problem("{}") == "no_type: there is no string member \"type\"");
  CHECK(problem(R"({"type":"a","type":"b"})") == "duplicate_member: the member \"type\" is there twice");
  CHECK(problem("{\"type\":\"\xFF\"}") == "invalid_utf8: not UTF-8");
  CHECK(problem(R"({"type":"welcome"})") == "reserved: the type \"welcome\" is one of Trestle's own");
  CHECK(problem(R"({"type":"a..b"})") == "bad_topic: the type \"a..b\" makes no topic");
  CHECK(problem(R"({"type":"a"})", "a.b") == "none");
  CHECK(problem(R"({"type":"a"})", "b.a") == "topic_mismatch: the topic \"b.a\" must start with \"a\"");
  CHECK(problem("{\"type\":\"a\",\"x\":\"" + std::string(600'000, 'x') + "\"}").substr(0, 7) == "too_big");
}

TEST_CASE("lines, with and without a line end at the end") {
  CHECK(lines_of("") == "");
  CHECK(lines_of("a\nb\n") == "1[a]2[b]");
  CHECK(lines_of("a\r\n\nb") == "1[a]2[]3[b]");
  CHECK(lines_of("0123456789\n0123456789x\nok\n") == "1[0123456789]2[0123456789]!3[ok]");
}

TEST_CASE("lines longer than one read") {
  const std::string longer(50'000, 'x');
  CHECK(lines_of(longer + "\n" + "y\n", 60'000) == "1[" + longer + "]2[y]");
}

TEST_CASE("any text makes a producer id") {
  CHECK(clean_id("cli-my.host-17") == "cli-my-host-17");
  CHECK(clean_id(std::string(100, 'a')).size() == 64);
  CHECK(is_producer_id(clean_id("höst name")));
}
