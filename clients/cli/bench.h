#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct BenchOptions {
  std::vector<std::string> patterns;  ///< only listening: what to; empty: everything the token may read
  std::string url;
  std::string token;
  std::string ca_file;
  std::string events;  ///< the bridge's event socket; empty: only listen
  std::uint64_t clients = 100;
  std::uint64_t count = 1'000;
  std::uint64_t size = 200;       ///< bytes of an event
  std::uint64_t rate = 200;       ///< events a second; 0: as fast as they go
  std::uint64_t for_ms = 10'000;  ///< only listening: how long
  bool json = false;
};

/// Connects clients to a bridge and prints how many deliveries a second they get. With `events` publishes
/// what they get, and prints how late it was; both ends of the latency are in this process. Throws Failure
/// when not everybody got everything.
Exit run_bench(const BenchOptions& options);

}  // namespace trestle::cli
