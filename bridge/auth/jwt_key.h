#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "bridge/config/jwt_algorithm.h"
#include "proto/result.h"

struct evp_pkey_st;

namespace trestle {

/// A key that checks the signatures of JWTs, by one algorithm and no other: a token cannot choose.
///
/// All of it stands on OpenSSL's EVP. Debian's libjwt 1.10 would have been the other way: it follows the
/// `alg` that the token names, takes base64 and JSON loosely, and knows neither PS256, EdDSA nor JWKS, so
/// that EVP would have been needed beside it. One path for all of them is less to read and less to trust.
///
/// Immutable; any thread.
class JwtKey {
 public:
  /// From a PEM public key or certificate. RSA needs 2048 to 8192 bits, EC the algorithm's curve. Private
  /// keys are refused: they have no business here. Errors say what is wrong, without file or place.
  static Result<JwtKey> from_pem(std::string kid, JwtAlgorithm algorithm, const std::string& pem);
  /// From an HMAC secret of at least secret_size() bytes; shorter ones only if `weak` says so. What has a
  /// fault_of_public() is refused, for with a public key as its secret everybody who has that key could sign.
  static Result<JwtKey> from_secret(std::string kid, JwtAlgorithm algorithm, std::string secret, bool weak);
  /// From a public key that was built already, for example from a JWK. Takes it over.
  static Result<JwtKey> from_evp(std::string kid, JwtAlgorithm algorithm, evp_pkey_st* key);

  const std::string& kid() const { return kid_; }
  JwtAlgorithm algorithm() const { return algorithm_; }
  /// A hash over kid, algorithm and key: the same after the files were read again if nothing changed.
  const std::string& fingerprint() const { return fingerprint_; }
  bool is_secret() const { return !pkey_; }

  /// True if `signature` (decoded) is this key's over `text`. Cost: one verification, whatever the signature.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  JwtKey(std::string kid, JwtAlgorithm algorithm) : kid_(std::move(kid)), algorithm_(algorithm) {}
  void take_fingerprint(std::string_view material);

  std::string kid_;
  JwtAlgorithm algorithm_;
  std::string secret_;                 // HS
  std::shared_ptr<evp_pkey_st> pkey_;  // all others
  std::string fingerprint_;
};

/// True for HS256, HS384 and HS512.
bool is_hmac(JwtAlgorithm algorithm);
/// The least bytes of an HMAC secret: as many as its hash has (RFC 7518 section 3.2).
std::size_t secret_size(JwtAlgorithm algorithm);

}  // namespace trestle
