#pragma once
#include <algorithm>
#include <chrono>

namespace trestle {

/// Allows `rate` turns a second on the long run and four seconds' worth at once (a token bucket: J. Turner,
/// "New directions in communications", IEEE Communications 24, 1986). A rate of 0 allows everything.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TokenBucket(std::size_t rate, Time now)
      : rate_(static_cast<double>(rate)), tokens_(rate_ * kBurst), filled_(now) {}

  bool take(Time now) {
    if (rate_ <= 0) return true;
    const auto elapsed = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(rate_ * kBurst, tokens_ + elapsed * rate_);
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  static constexpr double kBurst = 4;
  double rate_;
  double tokens_;
  Time filled_;
};

}  // namespace trestle
