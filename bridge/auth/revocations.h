#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "bridge/auth/identity.h"
#include "proto/result.h"

namespace trestle {

/// JWTs that are worth nothing although they are genuine and have not expired. Its file:
///
///     jti: [7d2c…, 91ab…]                            # one token each
///     issued_before: {alice: 2026-11-21T20:00:00Z}   # a subject's tokens up to then; "*": everybody's
///
/// A token that does not say when it was issued (`iat`) counts as issued before. Times are UTC, in seconds.
struct Revocations {
  std::set<std::string> ids;
  std::map<std::string, Micros> issued_before;

  bool hold(const TokenOrigin& token) const;
  /// What either of the two revokes is revoked.
  void add(const Revocations& other);
};

/// What "everybody" is called in `issued_before`.
inline constexpr const char* kEverybody = "*";

/// Nothing if there is no such file; one with a fault_of_rules() is refused, but all may read it:
/// it holds no secret. Errors are one line with file and line. Never throws. Bound: 1 MiB.
Result<std::optional<Revocations>> find_revocations(const std::filesystem::path& file);
/// The same, where a file that does not exist revokes nothing.
Result<Revocations> load_revocations(const std::filesystem::path& file);
/// Replaces the file at once; see write_public_file(). What load_revocations() would find too large is not
/// written: the error says what to do.
Result<std::monostate> save_revocations(const std::filesystem::path& file, const Revocations& revocations);

}  // namespace trestle
