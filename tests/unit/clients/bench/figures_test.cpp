#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "clients/bench/histogram.h"
#include "clients/bench/pace.h"
#include "clients/bench/stamp.h"

using trestle::bench::Histogram;
using trestle::bench::now_ns;
using trestle::bench::Pace;
using trestle::bench::stamped_event;
using trestle::bench::StampFinder;

TEST_CASE("a percentile is right to 1.6 % at every magnitude") {
  for (const std::uint64_t unit : {1ULL, 1'000ULL, 1'000'000'000ULL, 1'000'000'000'000'000ULL}) {
    Histogram histogram;
    for (std::uint64_t i = 1; i <= 1'000; ++i) histogram.add(i * unit);
    for (const double share : {0.01, 0.5, 0.99, 0.999}) {
      const double exact = share * 1'000 * static_cast<double>(unit);
      CHECK(static_cast<double>(histogram.at(share)) >= exact * 0.999);
      CHECK(static_cast<double>(histogram.at(share)) <= exact * 1.017);
    }
    CHECK(histogram.at(1) == 1'000 * unit);
    CHECK(histogram.max() == 1'000 * unit);
    CHECK(histogram.count() == 1'000);
  }
}

TEST_CASE("the least, the largest and no value at all") {
  Histogram histogram;
  CHECK(histogram.at(0.5) == 0);
  histogram.add(0);
  CHECK(histogram.at(0) == 0);
  histogram.add(~std::uint64_t{0});
  CHECK(histogram.at(1) == ~std::uint64_t{0});
  histogram.clear();
  CHECK(histogram.count() == 0);
}

TEST_CASE("times are found wherever the bytes are cut") {
  std::string bytes = "\x81\x7e@no@@0123 MSG load 1\r\n";
  for (std::uint64_t time : {1ULL, 0xfedcba9876543210ULL, 42ULL})
    bytes += stamped_event("load", time, 200) + "\r\n@";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    StampFinder finder;
    std::vector<std::uint64_t> found;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      finder.feed(std::string_view(bytes).substr(at, step),
                  [&](std::uint64_t time) { found.push_back(time); });
    }
    CHECK(found == std::vector<std::uint64_t>{1, 0xfedcba9876543210ULL, 42});
  }
}

TEST_CASE("a stamped event has the size that was asked for") {
  CHECK(stamped_event("load", 7, 200).size() == 200);
  CHECK(stamped_event("load", 7, 0) == "{\"type\":\"load\",\"at\":\"@0000000000000007\",\"pad\":\"\"}");
}

TEST_CASE("an event that is sent late has the time it was due, so its delay counts") {
  const Pace pace(1'000);
  const auto first = pace.wait_for(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(pace.wait_for(3) == first + 3'000'000);
  CHECK(now_ns() >= first + 5'000'000);
  CHECK(pace.wait_for(50) == first + 50'000'000);
  CHECK(now_ns() >= first + 50'000'000);
}

TEST_CASE("without a rate an event is due when it is sent") {
  const Pace pace(0);
  const auto before = now_ns();
  const auto time = pace.wait_for(1'000'000);
  const auto after = now_ns();
  CHECK(time >= before);
  CHECK(time <= after);
}
