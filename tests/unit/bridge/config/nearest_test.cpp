#include "bridge/config/nearest.h"

#include <doctest/doctest.h>

using trestle::nearest;

TEST_CASE("the nearest word is the one a typing mistake away") {
  const std::vector<std::string> words{"interval", "timeout", "enabled", "key"};
  CHECK(nearest("interval", words) == "interval");
  CHECK(nearest("intervall", words) == "interval");
  CHECK(nearest("itnerval", words) == "interval");
  CHECK(nearest("INTERVAL", words) == "interval");
  CHECK(nearest("time_out", words) == "timeout");
  CHECK(nearest("kye", words) == "key");
  CHECK(nearest("colour", words) == "");
  CHECK(nearest("", words) == "");
  CHECK(nearest(std::string(100'000, 'x'), words) == "");
  CHECK(nearest("a", {}) == "");
}
