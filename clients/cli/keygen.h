#pragma once
#include <string>
#include <vector>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct KeygenOptions {
  std::string file = "curve.key";  ///< the pair; FILE.pub gets the public half
  std::string name;                ///< for the list of producers; empty: the file's name without its ending
  std::vector<std::string> ids;
  std::vector<std::string> topics;
  bool force = false;
};

/// Makes a CURVE key pair: FILE for its owner only, FILE.pub for everybody. Prints the lines for a list of
/// producers on standard output, what was made on standard error. Throws Failure.
Exit run_keygen(const KeygenOptions& options);

}  // namespace trestle::cli
