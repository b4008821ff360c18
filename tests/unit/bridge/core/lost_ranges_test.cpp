#include "bridge/core/lost_ranges.h"

#include <doctest/doctest.h>

#include "fixtures.h"

using namespace trestle;

namespace {

std::string told(LostRanges& lost) {
  std::string text;
  for (const auto& [from, to] : lost.tell()) add_word(text, range_text(from, to));
  return text;
}

}  // namespace

TEST_CASE("a loss is told once, and again when it may have been missed") {
  LostRanges lost;
  CHECK_FALSE(lost.has_news());
  lost.add({2, 3});
  lost.add({7, 9});
  CHECK(lost.has_news());
  CHECK(told(lost) == "2-3 7-9");
  CHECK_FALSE(lost.has_news());
  lost.add({12, 12});
  CHECK(told(lost) == "12");
  lost.repeat();
  CHECK(told(lost) == "2-3 7-9 12");
  SUBCASE("but not what its producer has heard") {
    lost.heard(7);
    lost.repeat();
    CHECK(told(lost) == "8-9 12");
    lost.heard(12);
    lost.repeat();
    CHECK_FALSE(lost.has_news());
  }
  SUBCASE("hearing of what was told leaves the news") {
    lost.add({20, 21});
    lost.heard(12);
    CHECK(told(lost) == "20-21");
  }
}

TEST_CASE("a loss that goes on is one range, unless its beginning was told already") {
  LostRanges lost;
  lost.add({2, 3});
  lost.add({4, 6});
  CHECK(told(lost) == "2-6");
  lost.add({7, 8});
  CHECK(told(lost) == "7-8");
}

TEST_CASE("many losses are bounded: the two oldest become one, and none is left out") {
  LostRanges lost;
  for (Seq seq = 1; seq <= LostRanges::kMax; ++seq) lost.add({10 * seq, 10 * seq});
  CHECK(lost.tell().size() == LostRanges::kMax);
  lost.add({9'000, 9'000});
  CHECK(told(lost) == "9000");
  lost.repeat();
  auto all = lost.tell();
  CHECK(all.size() == LostRanges::kMax);
  CHECK(all.front() == SeqRange{10, 20});
  SUBCASE("a merged one is told again if a part of it was not") {
    LostRanges few;
    few.add({1, 1});
    (void)few.tell();
    few.add({5, 5});
    few.shrink(1);
    CHECK(told(few) == "1-5");
  }
}
