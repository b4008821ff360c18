#pragma once
#include <chrono>
#include <cstdint>

namespace trestle::bench {

/// When the events of a load are due: `per_second` from now on, evenly; 0: each as soon as can be.
///
/// The time in a paced event is the time it was due, not the time it was sent. A server that keeps its
/// publisher waiting, or a floor that has not done with the event before, would hide that delay otherwise:
/// "coordinated omission", https://github.com/giltene/wrk2#acknowledgements.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Pace(std::uint64_t per_second) : per_second_(per_second) {}

  Clock::time_point due(std::uint64_t event) const;
  /// Sleeps until then. The time for the event, in ns.
  std::uint64_t wait_for(std::uint64_t event) const;

 private:
  std::uint64_t per_second_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace trestle::bench
