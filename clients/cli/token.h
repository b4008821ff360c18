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

  std::string revoked_file = "revoked.yaml";
  std::string jti;            ///< of a JWT to revoke
  std::string subject;        ///< whose JWTs to revoke, "*": everybody's
  std::string issued_before;  ///< those up to this time, as format_time() writes it; empty: up to now
};

/// Makes a token, adds its hash to the file, which is made if it is missing, and prints it: the only time it
/// can be seen. Whoever changes a file holds its FileLock meanwhile, for which it waits some seconds.
Exit create_token(const TokenOptions& options, Micros now);
Exit list_tokens(const TokenOptions& options, Micros now);
/// Takes the named token out of the token file, or adds the JWTs that `jti` or `subject` mean to the file of
/// revoked ones, which is made if it is missing. Exactly one of the three is given.
Exit revoke_token(const TokenOptions& options, Micros now);

}  // namespace trestle::cli
