#pragma once
#include <string>
#include <string_view>

#include "clients/cli/exit_code.h"
#include "proto/result.h"
#include "proto/types.h"

namespace trestle::cli {

struct StatusOptions {
  std::string url;
  std::string token;
  std::string ca_file;
  bool json = false;
};

/// Prints what the bridge says of itself, as tables or as the bridge's own JSON. Throws Failure.
Exit run_status(const StatusOptions& options);

/// The tables for an answer of /api/status. Members that are not there are left out, so that another
/// version's answer can be shown too; an error if it is no such answer.
Result<std::string> status_text(std::string_view json, Micros now);

}  // namespace trestle::cli
