#pragma once
#include <optional>
#include <string>

namespace trestle {

/// Why others may know what somebody took for a secret: it is a key or certificate, public or private, or the
/// whole of one in another form: PEM, DER (SPKI, PKCS #1, PKCS #8, SEC 1, X.509), the base64 of a PEM without
/// its first and last line, a JWK or JWKS, a key of SSH. As the rest of a line that starts with the name of
/// what holds it. Nothing for all else. Cost: linear, and some attempts to parse.
std::optional<std::string> fault_of_public(const std::string& secret);

}  // namespace trestle
