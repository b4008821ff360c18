#pragma once
#include <string_view>

#include "clients/cli/stop_signal.h"

namespace trestle::cli {

/// Standard output, unbuffered, for programs at the other end of a pipe.
class Output {
 public:
  explicit Output(const StopSignal& stop) : stop_(stop) {}
  /// False if nobody reads any more, or the program is asked to stop while the reader is slow. Throws Failure
  /// for a full disk and the like.
  bool write(std::string_view bytes);

 private:
  const StopSignal& stop_;
};

}  // namespace trestle::cli
