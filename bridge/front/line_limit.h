#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "bridge/front/token_bucket.h"

namespace trestle {

/// For a kind of log line that strangers can cause at will: four at once, then one a second.
///
/// Thread: its owner's.
class LineLimit {
 public:
  using Time = TokenBucket::Time;

  explicit LineLimit(Time now = std::chrono::steady_clock::now()) : lines_(1, now) {}

  /// How many lines were left out since the last one, to be said in this one; nothing if this one is left out
  /// too.
  std::optional<std::uint64_t> take(Time now) {
    if (lines_.take(now)) return std::exchange(left_out_, 0);
    ++left_out_;
    return std::nullopt;
  }

 private:
  TokenBucket lines_;
  std::uint64_t left_out_ = 0;
};

}  // namespace trestle
