#pragma once
#include <openssl/evp.h>

#include <memory>
#include <string_view>

namespace trestle {

/// Owns what OpenSSL made: OpenSslPtr<BIGNUM, BN_free>.
template <class T, void (*free_it)(T*)>
struct OpenSslFree {
  void operator()(T* thing) const { free_it(thing); }
};
template <class T, void (*free_it)(T*)>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree<T, free_it>>;

using PkeyContext = OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

/// As OpenSSL wants its input.
inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace trestle
