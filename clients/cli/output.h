#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "clients/cli/stop_signal.h"

namespace trestle::cli {

/// Standard output for programs at the other end of a pipe: what was added is written once it is much, or
/// with flush().
class Output {
 public:
  explicit Output(const StopSignal& stop) : stop_(stop) {}
  /// Both are false if nobody reads any more, or the program is asked to stop while the reader is slow, and
  /// throw Failure for a full disk and the like.
  bool add(std::string_view bytes);
  bool flush();

 private:
  static constexpr std::size_t kMuch = 64 * 1024;

  const StopSignal& stop_;
  std::string waiting_;
};

}  // namespace trestle::cli
