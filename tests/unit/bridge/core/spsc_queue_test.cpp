#include "bridge/core/spsc_queue.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <thread>

using namespace trestle;

TEST_CASE("a queue gives back what it took, in order, and no more than it holds") {
  SpscQueue<int> queue(2);
  int item = 0;
  CHECK(queue.empty());
  CHECK_FALSE(queue.pop(item));
  CHECK(queue.push(1));
  CHECK(queue.has_room_for(1));
  CHECK(queue.push(2));
  CHECK_FALSE(queue.has_room_for(1));
  CHECK_FALSE(queue.push(3));
  CHECK(queue.pop(item));
  CHECK(item == 1);
  CHECK(queue.push(4));
  CHECK(queue.pop(item));
  CHECK(item == 2);
  CHECK(queue.pop(item));
  CHECK(item == 4);
  CHECK(queue.empty());
}

TEST_CASE("a full queue leaves the item with its owner") {
  SpscQueue<std::unique_ptr<int>> queue(1);
  CHECK(queue.push(std::make_unique<int>(1)));
  auto kept = std::make_unique<int>(2);
  CHECK_FALSE(queue.push(std::move(kept)));
  REQUIRE(kept);
  CHECK(*kept == 2);
}

TEST_CASE("what was popped is not kept alive by the queue") {
  SpscQueue<std::shared_ptr<int>> queue(4);
  auto item = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = item;
  CHECK(queue.push(std::move(item)));
  {
    std::shared_ptr<int> popped;
    CHECK(queue.pop(popped));
    CHECK_FALSE(watch.expired());
  }
  CHECK(watch.expired());
}

TEST_CASE("two threads hand over a million items, each once and in order") {
  constexpr std::uint64_t kItems = 1'000'000;
  // Small enough to be full and empty often, large enough for a busy machine. On the heap, because the stack
  // that GCC gives variables to see use after return aligns them to 32 bytes only.
  const auto queue = std::make_unique<SpscQueue<std::shared_ptr<std::uint64_t>>>(4'096);
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kItems; ++i) {
      auto item = std::make_shared<std::uint64_t>(i);
      while (!queue->push(std::move(item))) std::this_thread::yield();
    }
  });
  std::uint64_t expected = 0;
  bool in_order = true;
  std::shared_ptr<std::uint64_t> item;
  while (expected < kItems) {
    if (!queue->pop(item)) {
      std::this_thread::yield();
      continue;
    }
    in_order = in_order && *item == expected;
    ++expected;
  }
  producer.join();
  CHECK(in_order);
  CHECK(queue->empty());
}
