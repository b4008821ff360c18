#include "bridge/front/admission.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace trestle;

TEST_CASE("0 means no limit") {
  Admission admission(0, 0);
  for (int i = 0; i < 1'000; ++i) CHECK(admission.admit("a"));
}

TEST_CASE("the total is counted over all addresses") {
  Admission admission(2, 0);
  CHECK(admission.admit("a"));
  CHECK(admission.admit("b"));
  CHECK_FALSE(admission.admit("c"));
  admission.release("a");
  CHECK(admission.admit("c"));
  CHECK_FALSE(admission.admit("a"));
}

TEST_CASE("one address does not take another's place") {
  Admission admission(0, 2);
  CHECK(admission.admit("a"));
  CHECK(admission.admit("a"));
  CHECK_FALSE(admission.admit("a"));
  CHECK(admission.admit("b"));
  admission.release("a");
  CHECK(admission.admit("a"));
}

TEST_CASE("refusing costs no place, and releasing what was never admitted frees none") {
  Admission admission(1, 1);
  CHECK(admission.admit("a"));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(admission.admit("a"));
  admission.release("stranger");
  CHECK_FALSE(admission.admit("b"));
  admission.release("a");
  CHECK(admission.admit("b"));
}

TEST_CASE("shards share it: the limit holds under threads") {
  Admission admission(100, 0);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) admitted += admission.admit("a") ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(admitted == 100);
}
