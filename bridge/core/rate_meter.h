#pragma once
#include <array>
#include <chrono>
#include <cstdint>

namespace trestle {

/// Events per second over the last ten whole seconds.
///
/// Thread: its owner's.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void add(std::uint64_t count, Time now) {
    advance(now);
    buckets_[current_ % kBuckets] += count;
  }

  /// Counts a second only once it is over.
  double per_second(Time now) {
    advance(now);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 1; i < kBuckets; ++i) sum += buckets_[(current_ + i) % kBuckets];
    return static_cast<double>(sum) / static_cast<double>(kBuckets - 1);
  }

 private:
  static constexpr std::uint64_t kBuckets = 11;  // ten whole seconds and the one that runs

  void advance(Time now) {
    const auto second = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    if (second - current_ >= kBuckets) {
      buckets_.fill(0);
    } else {
      for (auto s = current_ + 1; s <= second; ++s) buckets_[s % kBuckets] = 0;
    }
    current_ = second;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t current_ = 0;
};

}  // namespace trestle
