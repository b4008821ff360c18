#include "bridge/front/shard.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

EpochPtr epoch(const std::string& name) { return std::make_shared<const std::string>(name); }

std::unique_ptr<Authority> nobody(const Settings& settings) {
  auto authority = Authority::make(settings.auth);
  REQUIRE(authority);
  return std::move(*authority);
}

/// A shard whose thread is not started, as if it never had its turn: what is pushed lies in its inbox.
class ShardFixture {
 public:
  ShardFixture() {
    Batch nothing;
    nothing.epoch = first;
    shard_.load(nothing, {});
  }
  /// Batches without events, with these heads.
  void push(const EpochPtr& of, Offset from, Offset to) {
    for (; from <= to; ++from) {
      auto batch = std::make_shared<Batch>();
      batch->epoch = of;
      batch->head = from;
      shard_.push(batch);
    }
  }
  /// Where the shard is once somebody has brought that cursor.
  Offset reach(const Cursor& cursor) {
    shard_.reach(cursor);
    return shard_.shelf().head();
  }

  const EpochPtr first = epoch("1");

 private:
  const Settings settings_;
  const PolicyTable policies_{settings_.topics};
  const std::unique_ptr<Authority> authority_ = nobody(settings_);
  FrontContext context_{settings_, *authority_, policies_, Admission(0, 0), Backoff(0), {}};
  Shard shard_{0, context_};
};

}  // namespace

TEST_CASE("a shard reaches a cursor that another one gave out, and goes no further") {
  ShardFixture shard;
  shard.push(shard.first, 1, 500);
  CHECK(shard.reach({"1", 400}) == 400);
  CHECK(shard.reach({"1", 300}) == 400);
  CHECK(shard.reach({"1", 500}) == 500);
}

TEST_CASE("a shard reaches a cursor of an epoch that waits in its inbox") {
  ShardFixture shard;
  shard.push(shard.first, 1, 10);
  shard.push(epoch("2"), 1, 10);
  CHECK(shard.reach({"2", 7}) == 7);
}

TEST_CASE("nobody makes a shard work with a cursor of the past, or one that was never given out") {
  ShardFixture shard;
  shard.push(shard.first, 1, 10);
  CHECK(shard.reach({"1", 11}) == 0);
  CHECK(shard.reach({"0", 5}) == 0);
  CHECK(shard.reach({"", 0}) == 0);
}
