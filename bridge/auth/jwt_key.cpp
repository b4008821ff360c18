#include "bridge/auth/jwt_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

#include "bridge/auth/openssl_ptr.h"
#include "bridge/auth/public_text.h"
#include "bridge/auth/tokens.h"

namespace trestle {
namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // a verification's price grows with them

using Bio = OpenSslPtr<BIO, BIO_free_all>;
using Digest = OpenSslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using Signature = OpenSslPtr<ECDSA_SIG, ECDSA_SIG_free>;
using Certificate = OpenSslPtr<X509, X509_free>;

bool is_pss(JwtAlgorithm a) {
  return a == JwtAlgorithm::ps256 || a == JwtAlgorithm::ps384 || a == JwtAlgorithm::ps512;
}
bool is_rsa(JwtAlgorithm a) {
  return is_pss(a) || a == JwtAlgorithm::rs256 || a == JwtAlgorithm::rs384 || a == JwtAlgorithm::rs512;
}

/// Null for EdDSA, which has a hash of its own.
const EVP_MD* hash_of(JwtAlgorithm a) {
  switch (a) {
    case JwtAlgorithm::hs256:
    case JwtAlgorithm::rs256:
    case JwtAlgorithm::ps256:
    case JwtAlgorithm::es256: return EVP_sha256();
    case JwtAlgorithm::hs384:
    case JwtAlgorithm::rs384:
    case JwtAlgorithm::ps384:
    case JwtAlgorithm::es384: return EVP_sha384();
    case JwtAlgorithm::hs512:
    case JwtAlgorithm::rs512:
    case JwtAlgorithm::ps512:
    case JwtAlgorithm::es512: return EVP_sha512();
    case JwtAlgorithm::eddsa: return nullptr;
  }
  return nullptr;
}

struct Curve {
  std::string_view openssl;  ///< EVP_PKEY_get_group_name()
  std::string_view name;
  std::size_t half;  ///< bytes of one half of a signature
};
/// Only for the ES algorithms.
std::optional<Curve> curve_of(JwtAlgorithm a) {
  switch (a) {
    case JwtAlgorithm::es256: return Curve{"prime256v1", "P-256", 32};
    case JwtAlgorithm::es384: return Curve{"secp384r1", "P-384", 48};
    case JwtAlgorithm::es512: return Curve{"secp521r1", "P-521", 66};
    default: return std::nullopt;
  }
}

std::optional<std::string> fault_of_rsa(EVP_PKEY* key) {
  // EVP_PKEY_RSA_PSS is bound to its own parameters, which no JWT algorithm promises.
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return "is no RSA key";
  const int bits = EVP_PKEY_get_bits(key);
  if (bits >= kLeastRsaBits && bits <= kMostRsaBits) return std::nullopt;
  return "has " + std::to_string(bits) + " bits; RSA keys need 2048 to 8192: make a new one";
}

std::optional<std::string> fault_of_ec(EVP_PKEY* key, const Curve& curve) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  const bool known = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
                     EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1;
  if (known && std::string_view(group.data(), size) == curve.openssl) return std::nullopt;
  return "is no key on the curve " + std::string(curve.name);
}

std::optional<std::string> fault_of(EVP_PKEY* key, JwtAlgorithm algorithm) {
  if (is_rsa(algorithm)) return fault_of_rsa(key);
  if (const auto curve = curve_of(algorithm)) return fault_of_ec(key, *curve);
  const int id = EVP_PKEY_get_base_id(key);
  if (algorithm == JwtAlgorithm::eddsa && (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448))
    return std::nullopt;
  return algorithm == JwtAlgorithm::eddsa ? "is no Ed25519 or Ed448 key" : "is a public key, not a secret";
}

/// r and s behind one another, as JWTs have them, to what OpenSSL reads. Empty if the size is wrong.
std::string der_of(std::string_view signature, std::size_t half) {
  if (signature.size() != 2 * half) return {};
  const Signature parts(ECDSA_SIG_new());
  auto* r = BN_bin2bn(bytes_of(signature), static_cast<int>(half), nullptr);
  auto* s = BN_bin2bn(bytes_of(signature) + half, static_cast<int>(half), nullptr);
  if (ECDSA_SIG_set0(parts.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool set_padding(EVP_PKEY_CTX* context, JwtAlgorithm algorithm) {
  if (!is_pss(algorithm)) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool verify_public(EVP_PKEY* key, JwtAlgorithm algorithm, std::string_view text, std::string_view signature) {
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;  // the digest's
  bool good = EVP_DigestVerifyInit(digest.get(), &context, hash_of(algorithm), nullptr, key) == 1;
  if (good && is_rsa(algorithm)) good = set_padding(context, algorithm);
  good = good && EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(text),
                                  text.size()) == 1;
  ERR_clear_error();  // what failed here is no business of the next TLS call on this thread
  return good;
}

bool verify_secret(const std::string& secret, JwtAlgorithm algorithm, std::string_view text,
                   std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  if (HMAC(hash_of(algorithm), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
           mac.data(), &size) == nullptr) {
    return false;
  }
  return equal_secrets({reinterpret_cast<const char*>(mac.data()), size}, signature);
}

std::string der_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

EVP_PKEY* read_pem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (auto* key = PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)) return key;
  const Bio again(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate(PEM_read_bio_X509(again.get(), nullptr, nullptr, nullptr));
  return certificate ? X509_get_pubkey(certificate.get()) : nullptr;
}

}  // namespace

bool is_hmac(JwtAlgorithm a) {
  return a == JwtAlgorithm::hs256 || a == JwtAlgorithm::hs384 || a == JwtAlgorithm::hs512;
}

std::size_t secret_size(JwtAlgorithm algorithm) {
  return static_cast<std::size_t>(EVP_MD_get_size(hash_of(algorithm)));
}

Result<JwtKey> JwtKey::from_pem(std::string kid, JwtAlgorithm algorithm, const std::string& pem) {
  if (pem.find("PRIVATE KEY-----") != std::string::npos) {
    return Error{"holds a private key, which only the issuer should have: openssl pkey -in FILE -pubout"};
  }
  auto* key = read_pem(pem);
  ERR_clear_error();
  if (key == nullptr) return Error{"holds no PEM public key (-----BEGIN PUBLIC KEY-----) or certificate"};
  return from_evp(std::move(kid), algorithm, key);
}

Result<JwtKey> JwtKey::from_evp(std::string kid, JwtAlgorithm algorithm, evp_pkey_st* pkey) {
  JwtKey key(std::move(kid), algorithm);
  key.pkey_ = std::shared_ptr<evp_pkey_st>(pkey, EVP_PKEY_free);
  if (auto fault = fault_of(pkey, algorithm)) return Error{*fault};
  const PkeyContext context(EVP_PKEY_CTX_new(pkey, nullptr));
  const bool sound = EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  if (!sound) return Error{"is damaged: its numbers are not those of a key"};
  key.take_fingerprint(der_of(pkey));
  return key;
}

Result<JwtKey> JwtKey::from_secret(std::string kid, JwtAlgorithm algorithm, std::string secret, bool weak) {
  if (!is_hmac(algorithm)) {
    return Error{"is a secret, which " + std::string(name_of(algorithm)) + " has no use for"};
  }
  const auto least = secret_size(algorithm);
  const auto remedy = ": openssl rand -hex " + std::to_string(least);
  if (const auto fault = fault_of_public(secret)) {
    return Error{*fault + "; use the algorithm that belongs to the key (such as RS256), or make a secret" +
                 remedy};
  }
  if (secret.size() < (weak ? 1 : least)) {
    return Error{"holds a secret of " + std::to_string(secret.size()) + " bytes; " +
                 std::string(name_of(algorithm)) + " needs at least " + std::to_string(least) + remedy +
                 (weak ? "" : ", or say auth.jwt.insecure: true if it is meant")};
  }
  JwtKey key(std::move(kid), algorithm);
  key.secret_ = std::move(secret);
  key.take_fingerprint(key.secret_);
  return key;
}

void JwtKey::take_fingerprint(std::string_view material) {
  auto text = std::string(name_of(algorithm_)) + "\n" + std::to_string(kid_.size()) + "\n" + kid_ + "\n";
  fingerprint_ = hash_token(text.append(material));
}

bool JwtKey::verifies(std::string_view text, std::string_view signature) const {
  if (!pkey_) return verify_secret(secret_, algorithm_, text, signature);
  const auto curve = curve_of(algorithm_);
  if (!curve) return verify_public(pkey_.get(), algorithm_, text, signature);
  // Of a wrong size: verified all the same, for the same work.
  return verify_public(pkey_.get(), algorithm_, text, der_of(signature, curve->half));
}

}  // namespace trestle
