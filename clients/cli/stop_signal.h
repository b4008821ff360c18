#pragma once
#include <chrono>

namespace trestle::cli {

/// Turns SIGINT and SIGTERM into a descriptor that stays readable once one has come, and ignores SIGPIPE, so
/// that a reader that went away shows as EPIPE. One at a time in a process.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  int fd() const { return fd_; }
  bool requested() const;
  /// Sleeps; true as soon as the program is asked to stop.
  bool wait_for(std::chrono::milliseconds time) const;

 private:
  int fd_;
};

}  // namespace trestle::cli
