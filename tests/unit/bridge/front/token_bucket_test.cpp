#include "bridge/front/token_bucket.h"

#include <doctest/doctest.h>

using namespace trestle;
using namespace std::chrono_literals;

namespace {
int taken(TokenBucket& bucket, int tries, TokenBucket::Time now) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(now) ? 1 : 0;
  return count;
}
const TokenBucket::Time kStart(1h);
}  // namespace

TEST_CASE("four seconds' worth at once, then the rate") {
  TokenBucket bucket(10, kStart);
  CHECK(taken(bucket, 100, kStart) == 40);
  CHECK(taken(bucket, 100, kStart + 99ms) == 0);
  CHECK(taken(bucket, 100, kStart + 1s) == 10);
  CHECK(taken(bucket, 100, kStart + 1500ms) == 5);
}

TEST_CASE("a long silence fills it up to the burst and no further") {
  TokenBucket bucket(10, kStart);
  taken(bucket, 100, kStart);
  CHECK(taken(bucket, 1'000, kStart + 1h) == 40);
}

TEST_CASE("refused turns cost nothing") {
  TokenBucket bucket(1, kStart);
  CHECK(taken(bucket, 1'000, kStart) == 4);
  CHECK(bucket.take(kStart + 1s));
}

TEST_CASE("a rate of 0 allows everything") {
  TokenBucket bucket(0, kStart);
  CHECK(taken(bucket, 1'000, kStart) == 1'000);
}
