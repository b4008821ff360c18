#pragma once
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "bridge/auth/base64url.h"
#include "bridge/auth/jwt_key.h"

namespace trestle {

/// What an issuer has: a fresh private key, or a secret, to sign JWTs with.
class JwtSigner {
 public:
  /// `what`: "RSA" (2048 bits), "RSA-1024", "P-256", "P-384", "P-521", "Ed25519" or "Ed448".
  explicit JwtSigner(const std::string& what) : key_(make(what), EVP_PKEY_free) {
    if (!key_) throw std::runtime_error("no key of kind " + what);
  }

  std::string public_pem() const {
    return pem([this](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
  }
  std::string private_pem() const {
    return pem([this](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  /// A number of the public key, big endian, for JWKS files: "n", "e", "qx", "qy".
  std::string number(const char* name, std::size_t size = 0) const {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), name, &number) != 1) throw std::runtime_error(name);
    std::string bytes(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(number);
    return bytes;
  }
  std::string raw_public() const {
    std::string bytes(57, '\0');
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
    bytes.resize(size);
    return bytes;
  }

  std::string sign(JwtAlgorithm algorithm, const std::string& text) const {
    const bool pss = algorithm == JwtAlgorithm::ps256 || algorithm == JwtAlgorithm::ps384 ||
                     algorithm == JwtAlgorithm::ps512;
    auto* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* pkey = nullptr;
    EVP_DigestSignInit(context, &pkey, hash(algorithm), nullptr, key_.get());
    if (pss) {
      EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST);
    }
    std::string out(2048, '\0');
    std::size_t size = out.size();
    const bool done = EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    EVP_MD_CTX_free(context);
    if (!done) throw std::runtime_error("cannot sign");
    out.resize(size);
    return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC ? halves(algorithm, out) : out;
  }

  /// The whole token.
  std::string token(JwtAlgorithm algorithm, const std::string& claims,
                    const std::optional<std::string>& header = {}) const {
    const auto text = head(algorithm, header) + "." + base64url_encode(claims);
    return text + "." + base64url_encode(sign(algorithm, text));
  }

  static std::string hmac(JwtAlgorithm algorithm, const std::string& secret, const std::string& text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(hash(algorithm), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return {reinterpret_cast<const char*>(mac), size};
  }
  static std::string hmac_token(JwtAlgorithm algorithm, const std::string& secret, const std::string& claims,
                                const std::optional<std::string>& header = {}) {
    const auto text = head(algorithm, header) + "." + base64url_encode(claims);
    return text + "." + base64url_encode(hmac(algorithm, secret, text));
  }

 private:
  static std::string head(JwtAlgorithm algorithm, const std::optional<std::string>& header) {
    const auto plain = R"({"alg":")" + std::string(name_of(algorithm)) + R"(","kid":"k1","typ":"JWT"})";
    return base64url_encode(header.value_or(plain));
  }
  static const EVP_MD* hash(JwtAlgorithm algorithm) {
    if (algorithm == JwtAlgorithm::eddsa) return nullptr;
    const auto name = name_of(algorithm).substr(2);
    return name == "256" ? EVP_sha256() : name == "384" ? EVP_sha384() : EVP_sha512();
  }
  static std::string halves(JwtAlgorithm algorithm, const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    auto* parts = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    const int half = algorithm == JwtAlgorithm::es256 ? 32 : algorithm == JwtAlgorithm::es384 ? 48 : 66;
    std::string out(static_cast<std::size_t>(2 * half), '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), reinterpret_cast<unsigned char*>(out.data()), half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), reinterpret_cast<unsigned char*>(out.data()) + half, half);
    ECDSA_SIG_free(parts);
    return out;
  }
  static EVP_PKEY* make(const std::string& what) {
    if (what == "RSA") return EVP_RSA_gen(2048);
    if (what == "RSA-1024") return EVP_RSA_gen(1024);
    if (what == "Ed25519" || what == "Ed448") return EVP_PKEY_Q_keygen(nullptr, nullptr, what.c_str());
    return EVP_EC_gen(what.c_str());
  }
  template <class Write>
  static std::string pem(Write write) {
    auto* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace trestle
