#include "clients/bench/histogram.h"

#include <algorithm>
#include <cmath>

namespace trestle::bench {

// A value below 2^kBits is its own bucket. Above, the top kBits + 1 bits choose: kBits of them within the
// power of two, which the shift names.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value >> kBits == 0) return value;
  const auto shift = 63U - kBits - static_cast<unsigned>(__builtin_clzll(value));
  return ((std::uint64_t{shift} + 1) << kBits) + ((value >> shift) - (std::uint64_t{1} << kBits));
}

std::uint64_t Histogram::end_of(std::size_t bucket) {
  if (bucket >> kBits == 0) return bucket;
  const auto shift = (bucket >> kBits) - 1;
  const auto top = (bucket & ((std::size_t{1} << kBits) - 1)) + (std::size_t{1} << kBits);
  return (std::uint64_t{top} << shift) + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::add(std::uint64_t value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
}

std::uint64_t Histogram::at(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size() && count_ > 0; ++i) {
    seen += buckets_[i];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(end_of(i), max_);
  }
  return max_;
}

}  // namespace trestle::bench
