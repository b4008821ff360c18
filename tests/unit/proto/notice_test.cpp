#include "proto/notice.h"

#include <doctest/doctest.h>

using namespace trestle;
using std::chrono::milliseconds;

TEST_CASE("notices as clients receive them") {
  CHECK(
      welcome_notice("123", 7, "s-1", milliseconds(30000)) ==
      R"({"success":true,"data":{"type":"welcome","epoch":"123","offset":7,"session":"s-1","heartbeat":30000}})");
  CHECK(live_notice("123", 7) == R"({"success":true,"data":{"type":"live","epoch":"123","offset":7}})");
  CHECK(cursor_notice("123", 8) == R"({"success":true,"data":{"type":"cursor","epoch":"123","offset":8}})");
  CHECK(drain_notice(milliseconds(2000), milliseconds(5000)) ==
        R"({"success":true,"data":{"type":"drain","after_ms":2000,"spread_ms":5000}})");
}

TEST_CASE("a gap says what is known and leaves out the rest") {
  Gap gap;
  gap.epoch = "123";
  gap.offset = 9;
  CHECK(gap_notice(gap) ==
        R"({"success":true,"data":{"type":"gap","reason":"trimmed","epoch":"123","offset":9}})");
  gap.reason = GapReason::lost;
  gap.from = 0, gap.to = 8, gap.producer = "me", gap.seq_from = 1, gap.seq_to = 2, gap.topic = "a.b",
  gap.count = 2;
  CHECK(gap_notice(gap) ==
        R"({"success":true,"data":{"type":"gap","reason":"lost","epoch":"123","offset":9,"from":0,"to":8,)"
        R"("producer":"me","seq_from":1,"seq_to":2,"topic":"a.b","count":2}})");
}
