#include "bridge/store/memory_stream.h"

#include <doctest/doctest.h>

using namespace trestle;

TEST_CASE("the stream in memory numbers from 1, over all batches, in an epoch of its start") {
  MemoryStream stream(1'700'000'000'000'000);
  CHECK(*stream.epoch() == "1700000000000000");
  CHECK(stream.head() == 0);
  const std::vector<std::shared_ptr<Event>> batch{std::make_shared<Event>(), std::make_shared<Event>(),
                                                  std::make_shared<Event>()};
  std::vector<LostRange> lost{{"p", 1, 1, 0}, {"p", 4, 4, 1}, {"p", 9, 9, 3}};
  stream.append(batch, lost, {});
  CHECK(batch[0]->offset == 1);
  CHECK(batch[2]->offset == 3);
  CHECK(lost[0].after == 0);  // behind everything before the event that follows it
  CHECK(lost[1].after == 1);
  CHECK(lost[2].after == 3);
  lost = {{"p", 11, 12, 0}};
  stream.append({}, lost, {});
  CHECK(lost[0].after == 3);
  CHECK(stream.head() == 3);
  stream.append(batch, lost, {});
  CHECK(batch[0]->offset == 4);
  CHECK(stream.head() == 6);
}
