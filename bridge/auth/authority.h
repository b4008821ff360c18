#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/auth/identity.h"
#include "bridge/auth/jwt_keys.h"
#include "bridge/auth/revocations.h"
#include "bridge/config/settings.h"
#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// The one place that decides what a token is worth: static tokens first, by hash, then JWTs.
///
/// Thread: authenticate(), renew(), generation() and anonymous() from any; the rest from one at a time.
class Authority {
 public:
  /// Reads the token file if there is one, and the keys of JWTs. Errors are for the operator: an unreadable
  /// or broken file, a key that is unsafe.
  static Result<std::unique_ptr<Authority>> make(const AuthSettings& settings);

  /// Without any configured token, makes one with all scopes, stores its hash in the token file, and returns
  /// it: this is the only time anybody sees it. Nothing if a token is configured, or authentication is off.
  Result<std::optional<std::string>> make_first_token(Micros now);

  /// Cost: one SHA-256 and a constant-time comparison with every known hash; for what looks like a JWT one
  /// verification more. Tokens over kMaxJwt bytes are unknown.
  Result<IdentityPtr, AuthFailure> authenticate(std::string_view token, Micros now) const;
  /// What the token that made `held` is worth by now, as far as reload() can have changed that: the same
  /// identity, one with other rights, or AuthFailure::revoked. Expiry is the caller's.
  Result<IdentityPtr, AuthFailure> renew(const IdentityPtr& held) const;
  /// Changes whenever renew() may answer differently.
  std::uint64_t generation() const { return generation_; }
  /// Who connects where no token is needed: may read everything but `$sys`, nothing else.
  IdentityPtr anonymous() const { return anonymous_; }

  bool enabled() const { return settings_.enabled; }
  /// Reads the token file, the keys and the revoked tokens again. On an error everything stays as it was.
  Result<std::monostate> reload();
  /// What reload() reads, whether it exists or not.
  std::vector<std::filesystem::path> files() const;

 private:
  struct Entry {
    std::string sha256_hex;
    IdentityPtr identity;
  };
  struct Table {
    std::vector<Entry> entries;
    JwtKeys keys;
    Revocations revoked;
  };

  explicit Authority(AuthSettings settings);
  Result<std::monostate> read_tokens(Table& table) const;

  const std::string token_hash_;  // of the configured token; empty without one
  const AuthSettings settings_;   // without that token
  const IdentityPtr anonymous_;
  std::shared_ptr<const Table> table_;  // read and replaced by std::atomic_load and std::atomic_store only
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace trestle
