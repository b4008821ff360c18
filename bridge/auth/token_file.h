#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// One entry of the token file. The token itself is nowhere: only its hash.
struct TokenRecord {
  std::string name;                 ///< for people: logs and `trestle token list`
  std::string sha256_hex;           ///< hash_token() of the token
  std::vector<std::string> scopes;  ///< see parse_scopes()
  Micros created = 0;
  std::optional<Micros> expires;
};

/// Reads the token file:
///
///     tokens:
///       - name: dashboard
///         sha256: <64 hex digits>
///         scopes: ["read:task.>", admin]
///         created: 2026-11-21T20:00:00Z
///         expires: 2027-01-01T00:00:00Z        # optional
///
/// Errors are one line with the file, the line and what to do. A file with a fault_of_secret() is refused:
/// whoever can change it makes tokens, and who can read it knows who has which. Names and hashes are unique.
/// Never throws. An empty file has no tokens, unless it has not `settled`: then somebody has only begun to
/// write it, which is an error.
Result<std::vector<TokenRecord>> load_token_file(const std::filesystem::path& path, bool settled = true);

/// Replaces the file at once; see write_private_file(). What load_token_file() would find too large is not
/// written: the error says what to do.
Result<std::monostate> save_token_file(const std::filesystem::path& path,
                                       const std::vector<TokenRecord>& records);

/// UTC with seconds, for example 2026-11-21T20:00:00Z, and back.
std::string format_time(Micros time);
std::optional<Micros> parse_time(const std::string& text);

}  // namespace trestle
