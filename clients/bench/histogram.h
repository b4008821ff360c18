#pragma once
#include <array>
#include <cstdint>

namespace trestle::bench {

/// Counts durations in buckets whose width is 1/64 of their value, so that a percentile of millions is right
/// to 1.6 % and costs 32 KiB. Any unit, from 0 to 2^64 - 1.
class Histogram {
 public:
  void add(std::uint64_t value);
  void clear() { *this = Histogram(); }

  std::uint64_t count() const { return count_; }
  /// The largest value added.
  std::uint64_t max() const { return max_; }
  /// The value that the given share (0 to 1) of all does not exceed; the upper end of its bucket. 0 for none.
  std::uint64_t at(double share) const;

 private:
  static constexpr unsigned kBits = 6;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, (64 - kBits + 1) << kBits> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace trestle::bench
