#include "clients/bench/pace.h"

#include <thread>

#include "clients/bench/stamp.h"

namespace trestle::bench {

Pace::Clock::time_point Pace::due(std::uint64_t event) const {
  if (per_second_ == 0) return Clock::now();
  return start_ + std::chrono::microseconds(1'000'000 * event / per_second_);
}

std::uint64_t Pace::wait_for(std::uint64_t event) const {
  const auto time = due(event);
  std::this_thread::sleep_until(time);
  return ns_of(time);
}

}  // namespace trestle::bench
