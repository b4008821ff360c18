#include "bridge/front/backoff.h"

#include <doctest/doctest.h>

using namespace trestle;
using namespace std::chrono_literals;

namespace {

const IpAddress kA = *IpAddress::parse("192.0.2.1");
const IpAddress kB = *IpAddress::parse("192.0.2.2");
const Backoff::Time kStart{1000s};

IpAddress numbered(std::size_t number) {
  IpAddress::Bytes bytes{0x20, 0x01};
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return IpAddress(bytes);
}

}  // namespace

TEST_CASE("a few failures cost nothing, then each doubles the wait") {
  Backoff backoff(3);
  CHECK(backoff.failed(kA, kStart) == 0ms);
  CHECK(backoff.failed(kA, kStart) == 0ms);
  CHECK(backoff.wait(kA, kStart) == 0ms);
  CHECK(backoff.failed(kA, kStart) == 1s);
  CHECK(backoff.wait(kA, kStart) == 1s);
  CHECK(backoff.wait(kA, kStart + 999ms) == 1ms);
  CHECK(backoff.wait(kA, kStart + 1s) == 0ms);
  CHECK(backoff.failed(kA, kStart + 1s) == 2s);
  CHECK(backoff.wait(kA, kStart + 1s) == 2s);
  CHECK(backoff.failed(kA, kStart + 3s) == 4s);
}

TEST_CASE("five minutes is the longest wait") {
  Backoff backoff(1);
  auto now = kStart;
  std::chrono::milliseconds last{0};
  for (int i = 0; i < 100; ++i) {
    last = backoff.failed(kA, now);
    REQUIRE(last <= 300s);
    now += last;
  }
  CHECK(last == 300s);
}

TEST_CASE("one address does not make another wait") {
  Backoff backoff(1);
  CHECK(backoff.failed(kA, kStart) == 1s);
  CHECK(backoff.wait(kB, kStart) == 0ms);
}

TEST_CASE("a success ends it, and so does a quarter of an hour") {
  Backoff backoff(2);
  backoff.failed(kA, kStart);
  CHECK(backoff.failed(kA, kStart) == 1s);
  backoff.succeeded(kA);
  CHECK(backoff.wait(kA, kStart) == 0ms);
  CHECK(backoff.failed(kA, kStart) == 0ms);
  CHECK(backoff.failed(kA, kStart + 899s) == 1s);
  CHECK(backoff.failed(kA, kStart + 899s + 900s) == 0ms);
  backoff.succeeded(kB);
}

TEST_CASE("0: nobody waits, nothing is remembered") {
  Backoff backoff(0);
  for (int i = 0; i < 100; ++i) CHECK(backoff.failed(kA, kStart) == 0ms);
  CHECK(backoff.wait(kA, kStart) == 0ms);
  CHECK(backoff.size() == 0);
}

TEST_CASE("it remembers so many, and forgets the one whose last failure is the longest ago") {
  Backoff backoff(1, 100);
  for (std::size_t i = 0; i < 100; ++i) backoff.failed(numbered(i), kStart);
  backoff.failed(numbered(0), kStart);
  for (std::size_t i = 1'000; i < 1'050; ++i) backoff.failed(numbered(i), kStart);
  CHECK(backoff.size() == 100);
  CHECK(backoff.wait(numbered(0), kStart) == 2s);
  CHECK(backoff.wait(numbered(1), kStart) == 0ms);
  CHECK(backoff.wait(numbered(50), kStart) == 0ms);
  CHECK(backoff.wait(numbered(51), kStart) == 1s);
}
