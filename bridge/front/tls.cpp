#include "bridge/front/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>

namespace trestle {
namespace {

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
  return Error{"the key " + settings.key.string() + " does not belong to the certificate " +
               settings.certificate.string()};
}

Error key_error(const TlsSettings& settings, bool asked_for_pass_phrase) {
  if (asked_for_pass_phrase) {
    ERR_clear_error();
    return Error{"cannot use the key " + settings.key.string() +
                 ": it is behind a pass phrase (openssl pkey -in KEY -out NEW takes it off)"};
  }
  if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) return mismatch(settings);
  return ssl_error("cannot use the key", settings.key);
}

int limit(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {}
  ~TlsStream() override { SSL_free(ssl_); }

  Io read(char* buffer, std::size_t size, std::size_t& got) override {
    ERR_clear_error();
    const auto count = SSL_read(ssl_, buffer, limit(size));
    if (count <= 0) return outcome(count);
    got = static_cast<std::size_t>(count);
    return Io::done;
  }

  // One slice at a time: a TLS record has no scatter-gather form, and the frames of a batch are one slice
  // anyway.
  Io write(const std::string_view* slices, std::size_t count, std::size_t& written) override {
    ERR_clear_error();
    if (count == 0 || slices[0].empty()) return Io::done;
    const auto sent = SSL_write(ssl_, slices[0].data(), limit(slices[0].size()));
    if (sent <= 0) return outcome(sent);
    written = static_cast<std::size_t>(sent);
    return Io::done;
  }

  void finish_writing() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_) != 0) SSL_shutdown(ssl_);
    ::shutdown(fd_, SHUT_WR);
  }

 private:
  Io outcome(int result) const {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ: return Io::wait_read;
      case SSL_ERROR_WANT_WRITE: return Io::wait_write;
      case SSL_ERROR_ZERO_RETURN: return Io::closed;
      default: return Io::failed;
    }
  }

  SSL* const ssl_;
  const int fd_;
};

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings) {
  std::shared_ptr<const TlsContext> context(new TlsContext(SSL_CTX_new(TLS_server_method())));
  auto* ssl = context->context_;
  if (ssl == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(
      ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(ssl, settings.certificate.c_str()) != 1) {
    return ssl_error("cannot use the certificate", settings.certificate);
  }
  bool asked_for_pass_phrase = false;
  SSL_CTX_set_default_passwd_cb(ssl, no_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, &asked_for_pass_phrase);
  const bool used = SSL_CTX_use_PrivateKey_file(ssl, settings.key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(ssl, nullptr);
  if (!used) return key_error(settings, asked_for_pass_phrase);
  if (SSL_CTX_check_private_key(ssl) != 1) return mismatch(settings);
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<ByteStream> TlsContext::accept(int fd) const {
  auto* ssl = SSL_new(context_);
  if (ssl == nullptr) throw std::bad_alloc();
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsStream>(ssl, fd);
}

}  // namespace trestle
