#pragma once
#include <stdexcept>
#include <string>

namespace trestle::cli {

/// What the program's exit code tells a script; `trestle --help` repeats it.
enum class Exit : int {
  ok = 0,
  failed = 1,     ///< at run time
  usage = 2,      ///< usage, input or configuration
  not_acked = 3,  ///< in time
  refused = 4,    ///< by the bridge: token, scope or producer id
};

/// Ends a subcommand with a message for the user. Never contains a token.
struct Failure : std::runtime_error {
  Failure(Exit exit_code, const std::string& message) : std::runtime_error(message), code(exit_code) {}
  Exit code;
};

}  // namespace trestle::cli
