#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bridge/core/event.h"
#include "bridge/core/producers.h"
#include "bridge/core/spine.h"

/// The two openings between ingest and front, so that neither knows the other.
namespace trestle {

/// Where the spine's batches go.  Thread: the spine's; neither call ever waits.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  /// False while some shard is so far behind that its queue is full: the spine then takes nothing in.
  virtual bool has_room() const = 0;
  virtual void deliver(const BatchPtr& batch) = 0;
};

/// CURVE's part of /api/status.
struct CurveStatus {
  std::size_t listed = 0;     ///< keys on the list of producers
  std::uint64_t refused = 0;  ///< connections
  std::string trouble;        ///< why the list's file, as it is now, is not in force; empty while it is
};

/// The spine's part of /api/status.
struct SpineStatus {
  Offset head = 0;
  std::string epoch;
  std::string trouble;  ///< empty while all is well
  Spine::Counters counters;
  double events_per_second = 0;
  std::array<std::uint64_t, kRejectCount> rejections{};
  std::vector<Producers::Info> producers;
  std::optional<CurveStatus> curve;  ///< while it is on
};

/// Asks the spine how it is.
class SpineProbe {
 public:
  virtual ~SpineProbe() = default;
  /// Any thread. `answer` is called once, on the spine's thread, within its next turn.
  virtual void probe(std::function<void(const SpineStatus&)> answer) = 0;
};

}  // namespace trestle
