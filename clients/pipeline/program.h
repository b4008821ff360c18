#pragma once
#include <trestle/producer.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "clients/pipeline/cannot_start.h"

namespace trestle::pipeline {

/// What all programs of the pipeline have in common: where the bridge is, who they are, how they end.
/// Exit codes: 0 stopped as asked or done, 1 failed at work, 2 could not start (options, addresses, missing
/// tools).
inline constexpr int kFailed = 1;
inline constexpr int kCannotStart = 2;

struct BridgeOptions {
  std::string id;
  BridgeAddress bridge;
  std::string curve_key;     ///< file of our own key pair; empty: no CURVE
  std::string curve_server;  ///< the bridge's public key, or the file of it
};

/// Adds --id, --events, --control, --curve-key and --curve-server with `default_id` to the program's options.
void add_bridge_options(CLI::App& app, BridgeOptions& options, const std::string& default_id);

/// The events of a pipeline nobody watches are worth less than its work: when the buffer is full the oldest
/// leave. Throws std::invalid_argument for a key that is none.
ProducerOptions producer_options(const BridgeOptions& options);

/// The path of a tool, or CannotStart that names the Debian package.
std::string need_tool(const std::vector<std::string>& names, const std::string& debian_package);

/// Parses the options, then runs `body` with stop signals caught and the log going to standard error.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace trestle::pipeline
