#include "bridge/core/rejections.h"

#include <doctest/doctest.h>

#include "fixtures.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

std::string due(Rejections& rejections, milliseconds when) {
  std::string text;
  for (const auto& report : rejections.due(at(when))) {
    add_word(text, std::string(name_of(report.reason)) + " " + std::to_string(report.count) + "/" +
                       std::to_string(report.total) + " " + report.detail);
  }
  return text;
}

}  // namespace

TEST_CASE("a reason is reported at once, then at most once a second with what has come together") {
  Rejections rejections;
  CHECK(due(rejections, 0ms) == "");
  rejections.add(Reject::not_json, "p1");
  CHECK(due(rejections, 0ms) == "not_json 1/1 p1");
  rejections.add(Reject::not_json, "p2");
  rejections.add(Reject::not_json, "p3");
  CHECK(due(rejections, 999ms) == "");
  CHECK(due(rejections, 1'000ms) == "not_json 2/3 p2");
  CHECK(due(rejections, 5'000ms) == "");
  CHECK(rejections.total(Reject::not_json) == 3);
}

TEST_CASE("one reason does not silence another") {
  Rejections rejections;
  rejections.add(Reject::not_json, "p1");
  CHECK(due(rejections, 0ms) == "not_json 1/1 p1");
  rejections.add(Reject::too_big, "p1");
  rejections.add(Reject::not_json, "p1");
  CHECK(due(rejections, 10ms) == "too_big 1/1 p1");
  CHECK(rejections.total(Reject::bad_topic) == 0);
}

TEST_CASE("what a hostile producer calls itself cannot break a log line") {
  Rejections rejections;
  rejections.add(Reject::bad_topic, "a\nb\x1b[31m\x80\x7f");
  CHECK(due(rejections, 0ms) == "bad_topic 1/1 a?b?[31m??");
  rejections.add(Reject::bad_topic, std::string(100'000, 'x'));
  CHECK(rejections.due(at(2s)).front().detail == std::string(200, 'x'));
}
