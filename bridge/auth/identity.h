#pragma once
#include <memory>
#include <optional>
#include <string>

#include "bridge/core/rights.h"
#include "proto/types.h"

namespace trestle {

/// Which token made an identity, so that it can be looked up again. Holds no token, and nothing to make one
/// from.
struct TokenOrigin {
  enum class Kind {
    none,        ///< no token was needed
    configured,  ///< auth.token
    file,        ///< an entry of the token file
    jwt,
  };
  Kind kind = Kind::none;
  std::string key;               ///< file: the token's hash; jwt: the fingerprint of the key that signed it
  std::string subject;           ///< jwt: `sub`
  std::string id;                ///< jwt: `jti`
  std::optional<Micros> issued;  ///< jwt: `iat`
};

/// Who a session is and what it may do. Immutable; any thread.
struct Identity {
  std::string name;  ///< for logs and status; never a token
  Rights rights;
  std::optional<Micros> expires;
  TokenOrigin origin;
};
using IdentityPtr = std::shared_ptr<const Identity>;

/// Why a token is worth nothing. Clients learn only whether it has expired; the rest is for the log.
enum class AuthFailure {
  unknown,    ///< no static token, and no JWT either
  expired,    ///< a good token once; told only of tokens that are genuine
  signature,  ///< a JWT that none of our keys signed: a wrong kid, algorithm or signature
  malformed,  ///< a JWT, and genuine, but its claims are not what they should be
  not_yet,    ///< `nbf` or `iat` lies ahead
  issuer,
  audience,
  revoked,
};
/// True if anybody at all can make such a token; the other failures take one that was genuine once.
constexpr bool is_guess(AuthFailure failure) {
  return failure == AuthFailure::unknown || failure == AuthFailure::signature;
}
/// For the log: "it has expired".
std::string_view reason_of(AuthFailure failure);

}  // namespace trestle
