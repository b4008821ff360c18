// What the sessions of a shard share when they merge: what was found in an event.
#include "bridge/core/pressure.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "tests/unit/bridge/core/pressure_fixture.h"

using namespace trestle;

namespace {

std::string text_of(const Pressure::MergeablePtr& found) {
  return found->event->payload.substr(found->from, found->to - found->from);
}

}  // namespace

TEST_CASE("an event is parsed for merging once, whoever asks") {
  PressureFixture shard;
  const auto event = shard.text("text.1", "a", 7);
  const auto found = shard.pressure.mergeable(event);
  REQUIRE((found != nullptr));
  CHECK(found->event.get() == event.get());
  CHECK(text_of(found) == "a");
  REQUIRE(found->merge_by.size() == 1);
  CHECK(found->merge_by[0] == "7");
  CHECK(shard.pressure.mergeable(event).get() == found.get());
}

TEST_CASE("what can't be merged stays so, however often it is asked about") {
  PressureFixture shard;
  for (const auto& event : {shard.event("text.1", R"({"type":"text","content":7})"), shard.event("log")}) {
    CHECK((shard.pressure.mergeable(event) == nullptr));
    CHECK((shard.pressure.mergeable(event) == nullptr));
  }
}

TEST_CASE("two events of one offset are two: one may be redacted, or of another epoch") {
  PressureFixture shard;
  const auto one = shard.text("text.1", "a");
  shard.head = 0;
  const auto other = shard.text("text.1", "b");
  REQUIRE(one->offset == other->offset);
  CHECK(text_of(shard.pressure.mergeable(one)) == "a");
  CHECK(text_of(shard.pressure.mergeable(other)) == "b");
}

TEST_CASE("what is remembered is bounded, in events and in bytes") {
  PressureFixture shard;
  std::size_t count = 0;
  std::size_t size = 0;
  SUBCASE("many events") { count = Pressure::kMaxKnown, size = 10; }
  SUBCASE("large ones") { count = 16, size = Pressure::kMaxKnownBytes / count; }
  std::vector<std::weak_ptr<const Event>> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto event = shard.text("text.1", std::string(size, 'x'));
    CHECK((shard.pressure.mergeable(event) != nullptr));
    seen.push_back(event);
  }
  const auto held = [&] {
    return std::count_if(seen.begin(), seen.end(), [](const auto& event) { return !event.expired(); });
  };
  CHECK(held() == static_cast<std::ptrdiff_t>(count));
  CHECK((shard.pressure.mergeable(shard.text("text.1", "new")) != nullptr));
  CHECK(held() == 0);
}
