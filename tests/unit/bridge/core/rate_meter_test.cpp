#include "bridge/core/rate_meter.h"

#include <doctest/doctest.h>

using namespace trestle;
using namespace std::chrono_literals;

namespace {
RateMeter::Time at_second(double seconds) {
  return RateMeter::Time(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000) + 100'000'000));
}
}  // namespace

TEST_CASE("a second counts once it is over, and for ten seconds") {
  RateMeter meter;
  meter.add(30, at_second(0));
  meter.add(20, at_second(0.9));
  CHECK(meter.per_second(at_second(0.99)) == 0);
  CHECK(meter.per_second(at_second(1)) == 5);
  CHECK(meter.per_second(at_second(10)) == 5);
  CHECK(meter.per_second(at_second(11)) == 0);
}

TEST_CASE("a steady rate is what it says") {
  RateMeter meter;
  for (int second = 0; second < 25; ++second) meter.add(7, at_second(second));
  CHECK(meter.per_second(at_second(25)) == 7);
}

TEST_CASE("nothing is left after a long silence") {
  RateMeter meter;
  meter.add(1'000, at_second(0));
  CHECK(meter.per_second(at_second(3'600)) == 0);
  meter.add(10, at_second(3'600));
  CHECK(meter.per_second(at_second(3'601)) == 1);
}
