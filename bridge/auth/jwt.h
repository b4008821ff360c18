#pragma once
#include <string_view>

#include "bridge/auth/identity.h"
#include "bridge/auth/jwt_keys.h"
#include "proto/result.h"

namespace trestle {

/// Longer ones are refused unread.
inline constexpr std::size_t kMaxJwt = 8 * 1024;
inline constexpr std::size_t kMaxSubject = 255;

/// True if `token` has the outer form of a JWT: three parts. Static tokens never have.
bool looks_like_jwt(std::string_view token);

/// Who the bearer of a JWT is (RFC 7519, as RFC 7515 and RFC 8725 want it checked).
///
/// In this order: size and form; `alg` and `kid` of the header choose the key, which must be of that very
/// algorithm; the signature; only then are the claims parsed. Whatever fails before that is `signature`,
/// after one verification's work each time: a token without a key is checked with another key of its
/// algorithm. Both JSON texts must be strict (parse_strict_object), both must be the only way to write their
/// bytes in base64url.
///
/// Claims: `sub` is the name, at most kMaxSubject bytes; `exp` (expected unless configured otherwise), `nbf`
/// and `iat` are numbers, judged with leeway: neither may lie ahead by more; `iss` and `aud` as configured;
/// `scope` (blanks between) and `scopes` (a list) together are the rights. `expires` of the result has the
/// leeway in it. Revocation is not looked at here.
Result<IdentityPtr, AuthFailure> verify_jwt(std::string_view token, const JwtKeys& keys,
                                            const JwtSettings& settings, Micros now);

}  // namespace trestle
