#pragma once
#include <string_view>
#include <vector>

#include "bridge/auth/jwt_key.h"

namespace trestle {

/// Reads a JSON Web Key Set (RFC 7517): RSA, EC (P-256, P-384, P-521), OKP (Ed25519, Ed448) and oct keys. A
/// key that is for something else (`use`, `key_ops`, an `alg` or type that is not ours) is passed over. A key
/// without `alg` has RS256 if RSA, HS256 if oct, else what its curve says. A set that holds a private key, or
/// a damaged one, is refused whole. Errors name the key by its number and, where it has one, its kid.
Result<std::vector<JwtKey>> parse_jwks(std::string_view text, bool weak);

}  // namespace trestle
