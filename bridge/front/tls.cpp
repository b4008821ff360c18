#include "bridge/front/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstring>
#include <ctime>
#include <new>

#include "bridge/front/tls_stream.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

// TLS 1.2: forward secrecy and AEAD only. The suites of 1.3 are all so.
constexpr const char* kCiphers = "ECDHE+CHACHA20:ECDHE+AESGCM";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr int kSecurityLevel = 2;  // 112 bits: RSA keys from 2048
constexpr long kTicketSeconds = 3'600;
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionContext[] = "trestle";

Error ssl_error(const std::string& what, const std::filesystem::path& path) {
  const auto code = ERR_get_error();
  const char* reason =
      ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
  ERR_clear_error();
  return Error{what + " " + path.string() + ": " + (reason != nullptr ? reason : "unreadable")};
}

// Without this OpenSSL asks on the terminal, where a service has nobody.
int no_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Error mismatch(const TlsSettings& settings) {
  ERR_clear_error();
  return Error{settings.key_place + "the key " + settings.key.string() +
               " does not belong to the certificate " + settings.certificate.string()};
}

Error key_error(const TlsSettings& settings, bool asked_for_pass_phrase) {
  if (asked_for_pass_phrase) {
    ERR_clear_error();
    return Error{settings.key_place + "cannot use the key " + settings.key.string() +
                 ": it is behind a pass phrase (openssl pkey -in KEY -out NEW takes it off)"};
  }
  if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) return mismatch(settings);
  return ssl_error(settings.key_place + "cannot use the key", settings.key);
}

// A client that offers protocols but not ours speaks something else (h2 only); who offers none is taken.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_protocol(SSL_CTX* ssl) {
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_security_level(ssl, kSecurityLevel);
  SSL_CTX_set_cipher_list(ssl, kCiphers);
  SSL_CTX_set_ciphersuites(ssl, kSuites);
  SSL_CTX_set1_groups_list(ssl, kGroups);
  SSL_CTX_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(
      ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);  // tickets only: they cost clients memory, not us
  SSL_CTX_set_num_tickets(ssl, 1);
  SSL_CTX_set_timeout(ssl, kTicketSeconds);
  SSL_CTX_set_session_id_context(ssl, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, nullptr);
}

std::optional<Error> check_mode(const TlsSettings& settings) {
  const auto fault = settings.insecure ? std::nullopt : fault_of_secret(settings.key);
  if (!fault) return std::nullopt;
  return Error{settings.key_place + "the key " + settings.key.string() + " " + *fault +
               "; or say tls.insecure: true if it is meant"};
}

std::optional<Error> use_key(SSL_CTX* ssl, const TlsSettings& settings) {
  if (auto error = check_mode(settings)) return error;
  bool asked_for_pass_phrase = false;
  SSL_CTX_set_default_passwd_cb(ssl, no_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, &asked_for_pass_phrase);
  const bool used = SSL_CTX_use_PrivateKey_file(ssl, settings.key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(ssl, nullptr);
  if (!used) return key_error(settings, asked_for_pass_phrase);
  if (SSL_CTX_check_private_key(ssl) != 1) return mismatch(settings);
  return std::nullopt;
}

std::optional<Error> ask_for_certificates(SSL_CTX* ssl, const TlsSettings& settings) {
  if (settings.client_ca.empty()) return std::nullopt;
  if (const auto fault = settings.insecure ? std::nullopt : fault_of_rules(settings.client_ca)) {
    return Error{settings.client_ca_place + settings.client_ca.string() + " " + *fault};
  }
  auto* names = SSL_load_client_CA_file(settings.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(ssl, settings.client_ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return ssl_error(settings.client_ca_place + "cannot use the certificates in", settings.client_ca);
  }
  SSL_CTX_set_client_CA_list(ssl, names);
  const bool required = settings.client_certificate == TlsSettings::ClientCertificate::required;
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return std::nullopt;
}

Micros time_of(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return 0;
  return Micros{::timegm(&utc)} * 1'000'000;
}

TlsCertificate describe(const X509* certificate) {
  return {name_of_certificate(certificate), time_of(X509_get0_notBefore(certificate)),
          time_of(X509_get0_notAfter(certificate))};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings,
                                                           std::shared_ptr<TlsFailures> failures) {
  std::shared_ptr<TlsContext> context(new TlsContext(SSL_CTX_new(TLS_server_method()), std::move(failures)));
  auto* ssl = context->context_;
  if (ssl == nullptr) throw std::bad_alloc();
  set_protocol(ssl);
  if (SSL_CTX_use_certificate_chain_file(ssl, settings.certificate.c_str()) != 1) {
    return ssl_error(settings.certificate_place + "cannot use the certificate", settings.certificate);
  }
  if (auto error = use_key(ssl, settings)) return *error;
  if (auto error = ask_for_certificates(ssl, settings)) return *error;
  context->certificate_ = describe(SSL_CTX_get0_certificate(ssl));
  return std::shared_ptr<const TlsContext>(std::move(context));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<ByteStream> TlsContext::accept(int fd) const {
  auto* ssl = SSL_new(context_);
  if (ssl == nullptr) throw std::bad_alloc();
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  return tls_stream(ssl, fd, failures_);
}

}  // namespace trestle
