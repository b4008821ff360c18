#pragma once
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace trestle {

/// Counts WebSocket sessions of the whole process against the limits, in total and by address.
///
/// Any thread; a lock is fine here, off the path of events.
class Admission {
 public:
  /// 0 means no limit.
  Admission(std::size_t total, std::size_t per_address) : total_(total), per_address_(per_address) {}

  /// True if one more session from this address is within the limits; it then counts until release().
  bool admit(const std::string& address);
  void release(const std::string& address);

 private:
  const std::size_t total_;
  const std::size_t per_address_;
  std::mutex mutex_;
  std::size_t count_ = 0;                                    // guarded by mutex_
  std::unordered_map<std::string, std::size_t> by_address_;  // guarded by mutex_
};

}  // namespace trestle
