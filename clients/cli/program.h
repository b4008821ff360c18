#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <memory>

#include "clients/cli/bench.h"
#include "clients/cli/bus.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/keygen.h"
#include "clients/cli/pub.h"
#include "clients/cli/status.h"
#include "clients/cli/tail.h"
#include "clients/cli/token.h"

namespace trestle::cli {

/// The command line as a tree: every subcommand, its options and where they go. Parsing chooses an action.
class Program {
 public:
  Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  CLI::App& app() { return app_; }
  /// What the parsed subcommand does. Throws Failure.
  Exit run() const { return action_(); }

 private:
  void add_pub();
  void add_tail();
  void add_status();
  void add_bench();
  void add_bus();
  void add_token();
  void add_keygen();
  void add_completion();

  CLI::App app_;
  PubOptions pub_;
  TailOptions tail_;
  StatusOptions status_;
  BenchOptions bench_;
  BusOptions bus_;
  TokenOptions token_;
  KeygenOptions keygen_;
  std::function<Exit()> action_;
};

}  // namespace trestle::cli
