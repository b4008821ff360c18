#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/config/settings.h"
#include "bridge/core/rights.h"
#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// Who a session is and what it may do. Immutable; any thread.
struct Identity {
  std::string name;  ///< for logs and status; never a token
  Rights rights;
  std::optional<Micros> expires;
};
using IdentityPtr = std::shared_ptr<const Identity>;

enum class AuthFailure { unknown, expired };

/// The one place that decides what a token is worth.
///
/// Thread: authenticate() and anonymous() from any; reload() from one at a time.
class Authority {
 public:
  /// Reads the token file if there is one. Errors are for the operator: an unreadable or broken file.
  static Result<std::unique_ptr<Authority>> make(const AuthSettings& settings);

  /// Without any configured token, makes one with all scopes, stores its hash in the token file, and returns
  /// it: this is the only time anybody sees it. Nothing if a token is configured, or authentication is off.
  Result<std::optional<std::string>> make_first_token(Micros now);

  /// Cost: one SHA-256 and a constant-time comparison with every known hash.
  Result<IdentityPtr, AuthFailure> authenticate(std::string_view token, Micros now) const;
  /// Who connects where no token is needed: may read everything but `$sys`, nothing else.
  IdentityPtr anonymous() const { return anonymous_; }

  bool enabled() const { return settings_.enabled; }
  /// Reads the token file again. On an error the tokens stay as they were.
  Result<std::monostate> reload();

 private:
  struct Entry {
    std::string sha256_hex;
    IdentityPtr identity;
  };
  using Table = std::vector<Entry>;

  explicit Authority(AuthSettings settings);

  const AuthSettings settings_;
  const IdentityPtr anonymous_;
  std::shared_ptr<const Table> table_;  // read and replaced by std::atomic_load and std::atomic_store only
};

}  // namespace trestle
