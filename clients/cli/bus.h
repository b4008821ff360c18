#pragma once
#include <string>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct BusOptions {
  std::string front = "tcp://127.0.0.1:5555";  ///< producers connect here
  std::string back = "tcp://127.0.0.1:5558";   ///< bridges connect here
  bool insecure = false;                       ///< allow addresses that other machines or users can reach
  std::string curve_key;                       ///< file of our key pair; with it CURVE is on, on both sockets
  std::string curve_producers;                 ///< list of who may connect to `front`
  std::string curve_bridges;                   ///< list of who may connect to `back`
};

/// Passes events from many producers to many bridges until SIGINT or SIGTERM. Prints its counters at the end
/// and on SIGUSR1, on standard error. Throws Failure.
Exit run_bus(const BusOptions& options);

}  // namespace trestle::cli
