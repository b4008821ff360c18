#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct PubOptions {
  std::string event = "-";  ///< one event, or "-": lines from standard input
  std::vector<std::string> events{"tcp://127.0.0.1:5556"};
  std::vector<std::string> control{"tcp://127.0.0.1:5557"};
  std::string id;  ///< empty: cli-<host>-<pid>
  std::string topic;
  bool no_ack = false;
  std::string curve_key;                  ///< file of our key pair; empty: no CURVE
  std::vector<std::string> curve_server;  ///< for each bridge: public key, or the file of it
  std::string curve_bus;                  ///< of the bus that all `events` name; empty: there is none
  std::uint64_t timeout_ms = 10'000;
};

/// Publishes one event or many. Bad lines are named and left out; the rest is published.
/// Returns ok only if everything was good and, unless no_ack, acked. Throws Failure.
Exit run_pub(const PubOptions& options);

/// Turns any text into a producer id: other characters become `-`, and 64 are enough.
std::string clean_id(std::string text);

}  // namespace trestle::cli
