#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

struct TailOptions {
  std::vector<std::string> patterns;  ///< empty: everything the token may read
  std::string url;
  std::string token;
  std::string ca_file;
  std::string since;        ///< a cursor to begin with, or 0
  std::uint64_t count = 0;  ///< end after that many events; 0: never
  enum class Format { automatic, pretty, ndjson } format = Format::automatic;
  bool meta = false;  ///< ndjson: the whole envelope
};

/// Prints events until stopped, until `count`, or until standard output is closed; comes back after every
/// trouble that is worth coming back from. Throws Failure for the rest.
Exit run_tail(const TailOptions& options);

}  // namespace trestle::cli
