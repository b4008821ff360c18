#include "bridge/auth/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>

#include "bridge/auth/base64url.h"
#include "bridge/auth/openssl_ptr.h"
#include "bridge/auth/strict_json.h"

namespace trestle {
namespace {

using rapidjson::Value;

// Thrown inside this file only, to leave nested reading at once.
struct BadKey {
  std::string what;
};

using Params = OpenSslPtr<OSSL_PARAM, OSSL_PARAM_free>;
using Builder = OpenSslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Number = OpenSslPtr<BIGNUM, BN_free>;

std::optional<std::string> text_member(const Value& jwk, std::string_view name) {
  const auto* value = find_member(jwk, name);
  if (value == nullptr) return std::nullopt;
  if (!value->IsString()) throw BadKey{std::string(name) + " must be a text"};
  return std::string(text_of(*value));
}

std::string needed(const Value& jwk, std::string_view name) {
  auto text = text_member(jwk, name);
  if (!text) throw BadKey{"has no " + std::string(name)};
  return *text;
}

std::string bytes_member(const Value& jwk, std::string_view name) {
  auto bytes = base64url_decode(needed(jwk, name));
  if (!bytes || bytes->empty()) throw BadKey{std::string(name) + " is not base64url without padding"};
  return *bytes;
}

bool is_for_signatures(const Value& jwk) {
  if (const auto use = text_member(jwk, "use"); use && *use != "sig") return false;
  const auto* operations = find_member(jwk, "key_ops");
  if (operations == nullptr) return true;
  std::vector<std::string> names;
  if (!append_texts(*operations, names)) throw BadKey{"key_ops must be a list of texts"};
  return std::find(names.begin(), names.end(), "verify") != names.end();
}

struct CurveName {
  std::string_view jwk;
  const char* openssl;
  JwtAlgorithm algorithm;
};
constexpr std::array<CurveName, 3> kCurves{{{"P-256", "prime256v1", JwtAlgorithm::es256},
                                            {"P-384", "secp384r1", JwtAlgorithm::es384},
                                            {"P-521", "secp521r1", JwtAlgorithm::es512}}};

const CurveName* curve_of(const Value& jwk) {
  const auto name = needed(jwk, "crv");
  const auto* found =
      std::find_if(kCurves.begin(), kCurves.end(), [&](const auto& curve) { return curve.jwk == name; });
  return found == kCurves.end() ? nullptr : found;
}

EVP_PKEY* build(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool built = params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                     EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  ERR_clear_error();
  if (!built || key == nullptr) throw BadKey{"is damaged: its numbers are not those of a key"};
  return key;
}

EVP_PKEY* rsa_key(const Value& jwk) {
  const auto n = bytes_member(jwk, "n");
  const auto e = bytes_member(jwk, "e");
  const Number modulus(BN_bin2bn(bytes_of(n), static_cast<int>(n.size()), nullptr));
  const Number exponent(BN_bin2bn(bytes_of(e), static_cast<int>(e.size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return build("RSA", builder.get());
}

EVP_PKEY* ec_key(const Value& jwk, const CurveName& curve) {
  const auto x = bytes_member(jwk, "x");
  const auto y = bytes_member(jwk, "y");
  if (x.size() != y.size()) throw BadKey{"x and y differ in length"};
  const auto point = "\x04" + x + y;
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.openssl, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return build("EC", builder.get());
}

/// Null for the curves of key agreement.
EVP_PKEY* okp_key(const Value& jwk) {
  const auto curve = needed(jwk, "crv");
  if (curve != "Ed25519" && curve != "Ed448") return nullptr;
  const auto x = bytes_member(jwk, "x");
  auto* key = EVP_PKEY_new_raw_public_key(curve == "Ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, nullptr,
                                          bytes_of(x), x.size());
  ERR_clear_error();
  if (key == nullptr) throw BadKey{"x is not the size of an " + curve + " key"};
  return key;
}

JwtKey checked(Result<JwtKey> key) {
  if (!key) throw BadKey{key.error().message};
  return std::move(*key);
}

/// Nothing for a key that is not for us.
std::optional<JwtKey> read_key(const Value& jwk, bool weak) {
  const auto type = needed(jwk, "kty");
  if (!is_for_signatures(jwk)) return std::nullopt;
  const auto named = text_member(jwk, "alg");
  const auto algorithm = jwt_algorithm_of(named.value_or(""));
  if (named && !algorithm) return std::nullopt;
  const auto kid = text_member(jwk, "kid").value_or("");
  if (type == "oct") {
    return checked(
        JwtKey::from_secret(kid, algorithm.value_or(JwtAlgorithm::hs256), bytes_member(jwk, "k"), weak));
  }
  if (find_member(jwk, "d") != nullptr) throw BadKey{"is a private key: only its public part belongs here"};
  if (type == "RSA") {
    return checked(JwtKey::from_evp(kid, algorithm.value_or(JwtAlgorithm::rs256), rsa_key(jwk)));
  }
  if (type == "EC") {
    const auto* curve = curve_of(jwk);
    if (curve == nullptr) return std::nullopt;
    return checked(JwtKey::from_evp(kid, algorithm.value_or(curve->algorithm), ec_key(jwk, *curve)));
  }
  auto* key = type == "OKP" ? okp_key(jwk) : nullptr;
  if (key == nullptr) return std::nullopt;
  return checked(JwtKey::from_evp(kid, algorithm.value_or(JwtAlgorithm::eddsa), key));
}

std::string name_of_key(const Value& jwk, std::size_t number) {
  const auto* kid = jwk.IsObject() ? find_member(jwk, "kid") : nullptr;
  auto name = "key " + std::to_string(number);
  if (kid == nullptr || !kid->IsString()) return name;
  const auto text = text_of(*kid).substr(0, 64);
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  return plain ? name.append(" (kid ").append(text).append(")") : name;
}

}  // namespace

Result<std::vector<JwtKey>> parse_jwks(std::string_view text, bool weak) {
  rapidjson::Document document;
  if (!parse_strict_object(text, document)) return Error{"is not one JSON object, or has a member twice"};
  const auto* list = find_member(document, "keys");
  if (list == nullptr || !list->IsArray()) return Error{"has no list \"keys\", so it is no JWKS"};
  std::vector<JwtKey> keys;
  std::size_t number = 0;
  for (const auto& jwk : list->GetArray()) {
    ++number;
    try {
      if (!jwk.IsObject()) throw BadKey{"is no object"};
      if (auto key = read_key(jwk, weak)) keys.push_back(std::move(*key));
    } catch (const BadKey& bad) {
      return Error{name_of_key(jwk, number) + " " + bad.what};
    }
  }
  return keys;
}

}  // namespace trestle
