#include "bridge/front/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <new>
#include <string>
#include <vector>

#include "bridge/auth/openssl_ptr.h"
#include "bridge/store/private_file.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

void free_names(STACK_OF(X509_NAME) * names) { sk_X509_NAME_pop_free(names, X509_NAME_free); }
// It holds certificates that are somebody else's.
void free_chain(STACK_OF(X509) * chain) { sk_X509_free(chain); }

using Bio = OpenSslPtr<BIO, BIO_free_all>;
using Certificate = OpenSslPtr<X509, X509_free>;
using Key = OpenSslPtr<EVP_PKEY, EVP_PKEY_free>;
using Store = OpenSslPtr<X509_STORE, X509_STORE_free>;
using Chain = OpenSslPtr<STACK_OF(X509), free_chain>;
using Names = OpenSslPtr<STACK_OF(X509_NAME), free_names>;

Error ssl_error(const std::string& what, const std::filesystem::path& path) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return Error{what + " " + path.string() + ": " + (reason != nullptr ? reason : "unreadable")};
}

// OpenSSL never opens a file by itself: it would wait for a pipe to be written to.
Result<std::string> read_file(const std::string& place, const std::filesystem::path& path) {
  auto content = read_small_file(path);
  if (!content) return Error{place + content.error().message};
  return content;
}

Bio reader_of(const std::string& pem) {
  ERR_clear_error();
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// Without this OpenSSL asks on the terminal, where a service has nobody.
int no_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// All of them, and at least one. An error is in OpenSSL's queue.
std::optional<std::vector<Certificate>> certificates_of(const std::string& pem) {
  const auto bio = reader_of(pem);
  bool asked = false;
  std::vector<Certificate> found;
  while (auto* one = PEM_read_bio_X509_AUX(bio.get(), nullptr, no_pass_phrase, &asked))
    found.emplace_back(one);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (found.empty() || !at_end) return std::nullopt;
  ERR_clear_error();
  return found;
}

Result<std::vector<Certificate>> read_certificates(const std::string& what, const std::string& place,
                                                   const std::filesystem::path& file) {
  const auto pem = read_file(place, file);
  if (!pem) return pem.error();
  auto certificates = certificates_of(*pem);
  if (!certificates) return ssl_error(place + what, file);
  return std::move(*certificates);
}

Result<Key> read_key(const TlsSettings& settings) {
  auto pem = read_file(settings.key_place, settings.key);
  if (!pem) return pem.error();
  if (const auto fault = settings.insecure ? std::nullopt : fault_of_secret(settings.key)) {
    return Error{settings.key_place + "the key " + settings.key.string() + " " + *fault +
                 "; or say tls.insecure: true if it is meant"};
  }
  bool asked_for_pass_phrase = false;
  Key key(PEM_read_bio_PrivateKey(reader_of(*pem).get(), nullptr, no_pass_phrase, &asked_for_pass_phrase));
  wipe(*pem);
  if (key) return key;
  if (!asked_for_pass_phrase) return ssl_error(settings.key_place + "cannot use the key", settings.key);
  ERR_clear_error();
  return Error{settings.key_place + "cannot use the key " + settings.key.string() +
               ": it is behind a pass phrase (openssl pkey -in KEY -out NEW takes it off)"};
}

/// What follows the first; null without any, so that OpenSSL looks for them itself.
Chain chain_of(const std::vector<Certificate>& certificates) {
  if (certificates.size() < 2) return nullptr;
  Chain chain(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates.size(); ++i) sk_X509_push(chain.get(), certificates[i].get());
  return chain;
}

bool has(const STACK_OF(X509_NAME) * names, const X509_NAME* name) {
  for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
    if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0) return true;
  }
  return false;
}

/// The subjects, each once: what a client is told it may be signed by.
Names names_of(const std::vector<Certificate>& certificates) {
  Names names(sk_X509_NAME_new_null());
  for (const auto& certificate : certificates) {
    const auto* name = X509_get_subject_name(certificate.get());
    if (!has(names.get(), name)) sk_X509_NAME_push(names.get(), X509_NAME_dup(name));
  }
  return names;
}

}  // namespace

std::optional<Error> use_pair(ssl_ctx_st* ssl, const TlsSettings& settings) {
  const std::string what = "cannot use the certificate";
  const auto certificates = read_certificates(what, settings.certificate_place, settings.certificate);
  if (!certificates) return certificates.error();
  const auto key = read_key(settings);
  if (!key) return key.error();
  auto* own = certificates->front().get();
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return Error{settings.key_place + "the key " + settings.key.string() +
                 " does not belong to the certificate " + settings.certificate.string()};
  }
  if (SSL_CTX_use_cert_and_key(ssl, own, key->get(), chain_of(*certificates).get(), 1) != 1) {
    return ssl_error(settings.certificate_place + what, settings.certificate);
  }
  return std::nullopt;
}

std::optional<Error> use_client_ca(ssl_ctx_st* ssl, const TlsSettings& settings) {
  if (settings.client_ca.empty()) return std::nullopt;
  const auto certificates =
      read_certificates("cannot use the certificates in", settings.client_ca_place, settings.client_ca);
  if (!certificates) return certificates.error();
  if (const auto fault = settings.insecure ? std::nullopt : fault_of_rules(settings.client_ca)) {
    return Error{settings.client_ca_place + settings.client_ca.string() + " " + *fault};
  }
  Store store(X509_STORE_new());
  for (const auto& certificate : *certificates) X509_STORE_add_cert(store.get(), certificate.get());
  SSL_CTX_set_cert_store(ssl, store.release());
  SSL_CTX_set_client_CA_list(ssl, names_of(*certificates).release());
  return std::nullopt;
}

}  // namespace trestle
