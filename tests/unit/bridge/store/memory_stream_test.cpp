#include "bridge/store/memory_stream.h"

#include <doctest/doctest.h>

using namespace trestle;

TEST_CASE("the stream in memory numbers from 1, over all batches, in an epoch of its start") {
  MemoryStream stream(1'700'000'000'000'000);
  CHECK(*stream.epoch() == "1700000000000000");
  CHECK(stream.head() == 0);
  const std::vector<std::shared_ptr<Event>> batch{std::make_shared<Event>(), std::make_shared<Event>(),
                                                  std::make_shared<Event>()};
  stream.append(batch, {});
  CHECK(batch[0]->offset == 1);
  CHECK(batch[2]->offset == 3);
  stream.append({}, {});
  CHECK(stream.head() == 3);
  stream.append(batch, {});
  CHECK(batch[0]->offset == 4);
  CHECK(stream.head() == 6);
}
