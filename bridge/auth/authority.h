#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
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

/// The part of /api/status that is about tokens.
struct AuthStatus {
  bool used = false;        ///< authentication is on
  std::size_t revoked = 0;  ///< entries in force of the file of revoked JWTs
  std::string trouble;      ///< why some file, as it is now, is not in force; empty while all are
};

/// What an authority reads from files, each by itself.
enum class AuthPart { tokens, keys, revoked };
inline constexpr std::array<AuthPart, 3> kAuthParts{AuthPart::tokens, AuthPart::keys, AuthPart::revoked};

/// The one place that decides what a token is worth: static tokens first, by hash, then JWTs.
///
/// Thread: authenticate(), renew(), generation(), anonymous() and status() from any; the rest from one at a
/// time.
class Authority {
 public:
  /// Reads the token file if there is one, and the keys of JWTs. Errors are for the operator: an unreadable
  /// or broken file, a key that is unsafe.
  static Result<std::unique_ptr<Authority>> make(const AuthSettings& settings);

  /// Without any configured token, makes one with all scopes, stores its hash in the token file, and returns
  /// it: this is the only time anybody sees it. Nothing if a token is configured, or authentication is off.
  Result<std::optional<std::string>> make_first_token(Micros now);

  /// What make_first_token() would fail with for want of a folder that this process may write to.
  Result<std::monostate> check_first_token() const;

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
  /// Reads the token file, each file of keys of JWTs and the revoked JWTs again, each by itself: what a file
  /// with a fault held stays as it was, the others count from now on. So nothing that is wrong elsewhere
  /// keeps a token from being revoked. A token file that is gone holds no token; a file of revoked JWTs that
  /// was there and is gone is a fault, for to lose it must not make them good again. The error is one line
  /// with all faults; status() has it until the next reload().
  Result<std::monostate> reload();
  /// The same for one of them.
  Result<std::monostate> reload(AuthPart part);
  /// Reads a part whose files somebody goes on changing, so that it may be half of what it will be. The error
  /// says why it stays as it was, and is no trouble of status(). A token file that is gone or empty is such
  /// an error, and of revoked JWTs none is taken back.
  Result<std::monostate> reload_unsettled(AuthPart part);
  AuthStatus status() const;
  /// For the operator at the start: what is configured, allowed, and yet probably not meant.
  std::optional<std::string> warning() const;

 private:
  struct Entry {
    std::string sha256_hex;
    IdentityPtr identity;
  };
  using Entries = std::vector<Entry>;
  /// Its parts are never null, and shared with the table before if they stayed as they were.
  struct Table {
    std::shared_ptr<const Entries> entries = std::make_shared<const Entries>();
    std::shared_ptr<const JwtKeys> keys = std::make_shared<const JwtKeys>();
    std::shared_ptr<const Revocations> revoked = std::make_shared<const Revocations>();
  };

  explicit Authority(AuthSettings settings);
  Result<Entries> read_tokens(bool settled) const;
  bool needs_first_token() const;
  Error no_first_token(const std::string& why) const;
  Result<Revocations> read_revoked();
  Result<Revocations> read_more_revoked(const Revocations& held);
  std::string read(AuthPart part, bool settled);
  std::string trouble() const;

  const std::string token_hash_;  // of the configured token; empty without one
  const AuthSettings settings_;   // without that token
  const IdentityPtr anonymous_;
  std::shared_ptr<const Table> table_;  // read and replaced by std::atomic_load and std::atomic_store only
  std::atomic<std::uint64_t> generation_{0};
  bool revoked_found_ = false;  // the file of revoked JWTs has been there
  mutable std::mutex mutex_;
  std::array<std::string, kAuthParts.size()> faults_;  // of each part; guarded by mutex_
};

/// What make() and reload() read of a part, whether it exists or not.
std::vector<std::filesystem::path> files_of(const AuthSettings& settings, AuthPart part);

}  // namespace trestle
