#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/exit_code.h"
#include "proto/types.h"

namespace trestle::cli {

struct TokenOptions {
  std::string file = "tokens.yaml";
  std::string name;
  std::vector<std::string> scopes{"read"};
  std::optional<std::uint64_t> expires_ms;  ///< from now
};

/// Makes a token, adds its hash to the file, which is made if it is missing, and prints it: the only time it
/// can be seen.
Exit create_token(const TokenOptions& options, Micros now);
Exit list_tokens(const TokenOptions& options, Micros now);
Exit revoke_token(const TokenOptions& options);

}  // namespace trestle::cli
