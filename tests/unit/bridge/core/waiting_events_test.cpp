#include "bridge/core/waiting_events.h"

#include <doctest/doctest.h>

#include "fixtures.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::deque<WaitingEvents::Waiting>& events) {
  std::string text;
  for (const auto& waiting : events) add_word(text, waiting.event.payload);
  return text;
}

}  // namespace

TEST_CASE("events wait by producer and epoch, in the order they came") {
  WaitingEvents waiting(10, 100);
  CHECK(waiting.add("a", {1, 1, 1}, event_of("a1"), at(0ms)));
  CHECK(waiting.add("b", {1, 1, 1}, event_of("b1"), at(0ms)));
  CHECK(waiting.add("a", {2, 1, 1}, event_of("other life"), at(0ms)));
  CHECK(waiting.add("a", {1, 2, 1}, event_of("a2"), at(0ms)));
  CHECK(text_of(waiting.take("a", 1)) == "a1 a2");
  CHECK(text_of(waiting.take("a", 1)) == "");
  CHECK(text_of(waiting.take("a", 2)) == "other life");
  CHECK(text_of(waiting.take("b", 1)) == "b1");
}

TEST_CASE("number and bytes are bounded over all, and free again after taking and expiring") {
  WaitingEvents waiting(3, 10);
  for (int round = 0; round < 3; ++round) {
    const auto start = round * 1s;
    CHECK(waiting.add("a", {1, 1, 1}, event_of("12345"), at(start)));
    CHECK(waiting.add("b", {1, 1, 1}, event_of("123"), at(start + 500ms)));
    CHECK_FALSE(waiting.add("c", {1, 1, 1}, event_of("123"), at(start)));
    CHECK(waiting.add("c", {1, 1, 1}, event_of("1"), at(start + 500ms)));
    CHECK_FALSE(waiting.add("d", {1, 1, 1}, event_of(""), at(start)));
    std::string dropped;
    waiting.expire(at(start + 1s), 1s, [&](std::string_view id, const Stamp&) { dropped += id; });
    CHECK(dropped == "a");
    CHECK(text_of(waiting.take("b", 1)) == "123");
    waiting.expire(at(start + 1'500ms), 1s, [&](std::string_view id, const Stamp&) { dropped += id; });
    CHECK(dropped == "ac");
  }
}
