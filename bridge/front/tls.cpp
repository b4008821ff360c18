#include "bridge/front/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <new>

#include "bridge/front/tls_files.h"
#include "bridge/front/tls_stream.h"

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

void ask_for_certificates(SSL_CTX* ssl, const TlsSettings& settings) {
  if (settings.client_ca.empty()) return;
  const bool required = settings.client_certificate == TlsSettings::ClientCertificate::required;
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

SSL_CTX* new_context(const TlsSettings& settings) {
  auto* ssl = SSL_CTX_new(TLS_server_method());
  if (ssl == nullptr) throw std::bad_alloc();
  set_protocol(ssl);
  ask_for_certificates(ssl, settings);
  return ssl;
}

void copy_pair(SSL_CTX* to, SSL_CTX* from) {
  STACK_OF(X509)* chain = nullptr;  // the context's
  SSL_CTX_get0_chain_certs(from, &chain);
  SSL_CTX_use_cert_and_key(to, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from), chain, 1);
}

void copy_client_ca(SSL_CTX* to, const SSL_CTX* from) {
  SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
  SSL_CTX_set_client_CA_list(to, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(from)));
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
  const std::shared_ptr<TlsContext> context(new TlsContext(new_context(settings), std::move(failures)));
  if (auto error = use_pair(context->context_, settings)) return *error;
  if (auto error = use_client_ca(context->context_, settings)) return *error;
  context->certificate_ = describe(SSL_CTX_get0_certificate(context->context_));
  return std::shared_ptr<const TlsContext>(context);
}

TlsReload TlsContext::reload(const TlsSettings& settings) const {
  const std::shared_ptr<TlsContext> next(new TlsContext(new_context(settings), failures_));
  TlsReload reload;
  reload.pair_fault = use_pair(next->context_, settings);
  reload.client_ca_fault = use_client_ca(next->context_, settings);
  const bool nothing_new = reload.pair_fault && (reload.client_ca_fault || settings.client_ca.empty());
  if (nothing_new) return reload;
  if (reload.pair_fault) copy_pair(next->context_, context_);
  if (reload.client_ca_fault) copy_client_ca(next->context_, context_);
  next->certificate_ = describe(SSL_CTX_get0_certificate(next->context_));
  reload.context = next;
  return reload;
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
