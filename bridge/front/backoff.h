#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "bridge/config/ip_address.h"

namespace trestle {

/// Makes those wait who guess tokens: after `allowed` failures in a row an address block is not listened to
/// for a second, after one more for two, then four, up to five minutes. A success ends it, and so does a
/// quarter of an hour without a failure.
///
/// Bound: 10,000 blocks; then the one whose last failure is the longest ago is forgotten.
/// Any thread; a lock is fine here, off the path of events.
class Backoff {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// 0: nobody ever waits.
  explicit Backoff(std::size_t allowed, std::size_t most_blocks = 10'000);

  /// How long this block still has to wait; 0 if not at all.
  std::chrono::milliseconds wait(const IpAddress& block, Time now);
  /// How long it has to wait for this one; 0 if not at all.
  std::chrono::milliseconds failed(const IpAddress& block, Time now);
  void succeeded(const IpAddress& block);
  /// Blocks with a failure that is remembered.
  std::size_t size();

 private:
  struct Entry {
    IpAddress block;
    std::size_t failures;
    Time last;
    Time until;
  };
  using Entries = std::list<Entry>;

  Entries::iterator find(const IpAddress& block, Time now);
  void forget(Entries::iterator entry);

  const std::size_t allowed_;
  const std::size_t most_blocks_;
  std::mutex mutex_;
  Entries entries_;  // guarded; newest failure first
  std::unordered_map<IpAddress, Entries::iterator, IpAddress::Hash> by_block_;  // guarded
};

}  // namespace trestle
