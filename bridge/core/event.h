#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/policy.h"
#include "proto/types.h"

namespace trestle {

/// The time as the core sees it: a value, handed in by whoever drives it.
struct Now {
  std::chrono::steady_clock::time_point steady;  ///< for timeouts
  Micros wall = 0;                               ///< for what clients and files see
};

/// One event. Made by the intake, numbered by the stream; immutable and shared from then on, any thread may
/// read.
struct Event {
  Offset offset = 0;
  Micros time = 0;      ///< when it was made: the producer's stamp, or its arrival
  Micros appended = 0;  ///< when the bridge took it into the stream
  std::string topic;
  std::string payload;             ///< the producer's bytes, unchanged
  const Policy* policy = nullptr;  ///< of the bridge's PolicyTable, which outlives every event
};
using EventPtr = std::shared_ptr<const Event>;

/// A hole in a producer's events that will not be filled.
struct LostRange {
  std::string producer;
  Seq from = 0;
  Seq to = 0;
  std::size_t before = 0;  ///< index of the event that follows the hole in its batch
  Offset after = 0;        ///< its place in the stream: behind everything up to here, before all else
  Micros appended = 0;     ///< when the bridge took it into the stream
};

/// Events ready for the stream, in order, with the holes between them.
struct Ready {
  std::vector<Event> events;
  std::vector<LostRange> lost;
};

/// The stream's epoch, a decimal string. Shared, so that comparing pointers tells of a change.
using EpochPtr = std::shared_ptr<const std::string>;

/// What the spine hands to the shards at once; offsets rise.
struct Batch {
  std::vector<EventPtr> events;
  std::vector<LostRange> lost;  ///< `after` rises
  Offset head = 0;              ///< the stream's newest offset once this batch is applied
  EpochPtr epoch;               ///< the stream's; another pointer means another epoch
  bool degraded = false;        ///< the stream keeps nothing at the moment
};
using BatchPtr = std::shared_ptr<const Batch>;

}  // namespace trestle
