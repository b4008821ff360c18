#include "bridge/auth/public_text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "bridge/auth/base64url.h"
#include "bridge/auth/openssl_ptr.h"

namespace trestle {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// PEM, SSH's own form of it (RFC 4716), PuTTY's.
bool is_armored(std::string_view text) {
  return contains(text, "-----BEGIN ") || contains(text, "---- BEGIN ") ||
         contains(text, "PuTTY-User-Key-File-");
}

bool is_jwk(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  return first != text.npos && text[first] == '{' &&
         (contains(text, "\"kty\"") || contains(text, "\"keys\""));
}

EVP_PKEY* read_pkcs1(EVP_PKEY** key, const unsigned char** at, long size) {
  return d2i_PublicKey(EVP_PKEY_RSA, key, at, size);
}

/// True if that is all there is, but for a line end.
template <class T, void (*Free)(T*)>
bool is_der(std::string_view text, T* (*read)(T**, const unsigned char**, long)) {
  const auto* at = bytes_of(text);
  const OpenSslPtr<T, Free> found(read(nullptr, &at, static_cast<long>(text.size())));
  ERR_clear_error();
  return found && text.find_first_not_of(kSpace, static_cast<std::size_t>(at - bytes_of(text))) == text.npos;
}

// X509_SIG: a private key behind a pass phrase is one.
bool is_der_of_key(std::string_view text) {
  using Key = EVP_PKEY;
  return is_der<Key, EVP_PKEY_free>(text, d2i_PUBKEY) || is_der<Key, EVP_PKEY_free>(text, read_pkcs1) ||
         is_der<Key, EVP_PKEY_free>(text, d2i_AutoPrivateKey) || is_der<X509, X509_free>(text, d2i_X509) ||
         is_der<X509_SIG, X509_SIG_free>(text, d2i_X509_SIG);
}

/// What base64 of either alphabet stands for, over lines, padded or not; empty if it is none.
std::string decoded(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (contains(kSpace, {&c, 1}) || c == '=') continue;
    plain += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return base64url_decode(plain).value_or("");
}

/// A key of SSH begins with the length of its type and the type; of its base64, 12 characters have enough of
/// it.
bool begins_as_ssh_key(std::string_view base64) {
  constexpr std::array<std::string_view, 3> kTypes{"ssh-", "ecdsa", "sk-"};
  const auto bytes = decoded(base64.substr(0, 12));
  if (bytes.size() != 9 || !starts_with(bytes, {"\0\0\0", 3})) return false;
  const auto type = std::string_view(bytes).substr(4);
  return std::any_of(kTypes.begin(), kTypes.end(), [&](auto start) { return starts_with(type, start); });
}

// `ssh-rsa AAAA… comment`, with options before it or not.
bool holds_ssh_key(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(kSpace), text.size());
    if (begins_as_ssh_key(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string> fault_of_public(const std::string& secret) {
  if (is_armored(secret)) return "holds PEM, a key or certificate that others may know, and no secret";
  if (is_jwk(secret)) return "holds a JWK or JWKS, and no secret: auth.jwt.jwks_file reads those";
  if (is_der_of_key(secret)) {
    return "holds DER, a key or certificate that others may know, and no secret";
  }
  if (holds_ssh_key(secret)) return "holds a key of SSH that others may know, and no secret";
  const auto bytes = decoded(secret);
  if (is_der_of_key(bytes) || starts_with(bytes, "openssh-key-v1")) {
    return "holds PEM without its first and last line, a key or certificate that others may know, and no "
           "secret";
  }
  return std::nullopt;
}

}  // namespace trestle
