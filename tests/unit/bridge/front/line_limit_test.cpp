#include "bridge/front/line_limit.h"

#include <doctest/doctest.h>

using namespace trestle;

TEST_CASE("four lines at once, then one a second, which says how many were left out") {
  const LineLimit::Time start{};
  LineLimit lines(start);
  for (int i = 0; i < 4; ++i) CHECK(lines.take(start) == 0u);
  for (int i = 0; i < 1'000; ++i) CHECK_FALSE(lines.take(start + std::chrono::milliseconds(i / 2)));
  CHECK(lines.take(start + std::chrono::seconds(1)) == 1'000u);
  CHECK_FALSE(lines.take(start + std::chrono::milliseconds(1'500)));
  CHECK(lines.take(start + std::chrono::seconds(60)) == 1u);
  CHECK(lines.take(start + std::chrono::seconds(60)) == 0u);
}
