#pragma once
#include <string>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct BusOptions {
  std::string front = "tcp://127.0.0.1:5555";  ///< producers connect here
  std::string back = "tcp://127.0.0.1:5558";   ///< bridges connect here
  bool insecure = false;                       ///< allow addresses that other machines can reach
};

/// Passes events from many producers to many bridges until SIGINT or SIGTERM. Prints its counters at the end
/// and on SIGUSR1, on standard error. Throws Failure.
Exit run_bus(const BusOptions& options);

}  // namespace trestle::cli
