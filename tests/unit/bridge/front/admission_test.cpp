#include "bridge/front/admission.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace trestle;
using Answer = Admission::Answer;

namespace {

const IpAddress kA = *IpAddress::parse("192.0.2.1");
const IpAddress kB = *IpAddress::parse("192.0.2.2");
const IpAddress kC = *IpAddress::parse("192.0.2.3");

bool arrives(Admission& admission, const Admission::Whom& whom) {
  return admission.arrive(whom, false) == Answer::welcome;
}

/// Arrives and becomes a session.
bool joins(Admission& admission, const IpAddress& whom) {
  REQUIRE(arrives(admission, whom));
  if (admission.open(whom)) return true;
  admission.leave(whom);
  return false;
}

void goes(Admission& admission, const IpAddress& whom) {
  admission.close(whom);
  admission.leave(whom);
}

}  // namespace

TEST_CASE("0 means no limit") {
  Admission admission(0, 0);
  for (int i = 0; i < 1'000; ++i) CHECK(joins(admission, kA));
}

TEST_CASE("the total is counted over all addresses") {
  Admission admission(2, 0);
  CHECK(joins(admission, kA));
  CHECK(joins(admission, kB));
  CHECK_FALSE(joins(admission, kC));
  goes(admission, kA);
  CHECK(joins(admission, kC));
  CHECK_FALSE(joins(admission, kA));
}

TEST_CASE("one address does not take another's place") {
  Admission admission(0, 2);
  CHECK(joins(admission, kA));
  CHECK(joins(admission, kA));
  CHECK_FALSE(joins(admission, kA));
  CHECK(joins(admission, kB));
  goes(admission, kA);
  CHECK(joins(admission, kA));
}

TEST_CASE("connections that are no session yet are bounded too, in total and by address") {
  const auto most = Admission::connections_for(4);
  Admission by_address(0, 4);
  for (std::size_t i = 0; i < most; ++i) CHECK(arrives(by_address, kA));
  CHECK(by_address.arrive(kA, false) == Answer::too_many_of_theirs);
  CHECK(arrives(by_address, kB));
  by_address.leave(kA);
  CHECK(arrives(by_address, kA));

  Admission total(4, 0);
  std::size_t strangers = 0;
  while (arrives(total, kA)) ++strangers;
  CHECK(strangers < most);
  CHECK(total.arrive(kB, false) == Answer::full);
  for (std::size_t i = strangers; i < most; ++i)
    CHECK(total.arrive(kB, true) == Answer::welcome);  // health checks
  CHECK(total.arrive(kB, true) == Answer::full);
}

TEST_CASE("behind a proxy a connection counts in the total until it is known whose it is") {
  Admission admission(0, 1);
  const auto most = Admission::connections_for(1);
  for (std::size_t i = 0; i < 2 * most; ++i) REQUIRE(arrives(admission, std::nullopt));
  for (std::size_t i = 0; i < most; ++i) REQUIRE(admission.move(std::nullopt, kA) == Answer::welcome);
  CHECK(admission.move(std::nullopt, kA) == Answer::too_many_of_theirs);
  CHECK(admission.move(std::nullopt, kB) == Answer::welcome);
  CHECK(admission.move(kB, std::nullopt) == Answer::welcome);
  admission.leave(std::nullopt);
  for (std::size_t i = 0; i < most; ++i) admission.leave(kA);
  CHECK(admission.move(std::nullopt, kA) == Answer::welcome);
  CHECK(admission.open(kA));
  CHECK_FALSE(admission.open(kA));
  CHECK(admission.open(std::nullopt));
}

TEST_CASE("shards share it: the limit holds under threads") {
  Admission admission(100, 0);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        if (admission.arrive(kA, false) != Answer::welcome) continue;
        if (admission.open(kA)) {
          ++admitted;
        } else {
          admission.leave(kA);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(admitted == 100);
}
