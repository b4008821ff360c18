#include "bridge/front/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <string_view>

namespace trestle {
namespace {

constexpr std::size_t kRecord = 16 * 1024;
constexpr std::size_t kLongestName = 200;

int limit(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL* ssl, int fd, std::shared_ptr<TlsFailures> failures)
      : ssl_(ssl), fd_(fd), failures_(std::move(failures)) {}
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
    if (count == 0 || slices[0].empty()) return Io::done;
    if (const auto flushed = flush(); flushed != Io::done) return flushed;
    const auto record = slices[0].substr(0, kRecord);
    ERR_clear_error();
    const auto sent = SSL_write(ssl_, record.data(), limit(record.size()));
    if (sent > 0) {
      written = static_cast<std::size_t>(sent);
      return Io::done;
    }
    const auto why = outcome(sent);
    if (why != Io::wait_write && why != Io::wait_read) return why;
    // OpenSSL wants these very bytes again, while the caller may think better of what has not been written.
    held_ = record;
    written = record.size();
    return Io::done;
  }

  bool holds_bytes() const override { return !held_.empty(); }

  Io flush() override {
    while (!held_.empty()) {
      ERR_clear_error();
      const auto sent = SSL_write(ssl_, held_.data(), limit(held_.size()));
      if (sent <= 0) return outcome(sent);
      held_.erase(0, static_cast<std::size_t>(sent));
    }
    std::string().swap(held_);  // most connections are never behind: none keeps 16 KiB for it
    return Io::done;
  }

  void finish_writing() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_) != 0) SSL_shutdown(ssl_);
    ::shutdown(fd_, SHUT_WR);
  }

  std::string certificate_name() const override {
    const X509* certificate = SSL_get0_peer_certificate(ssl_);
    return certificate == nullptr ? std::string() : name_of_certificate(certificate);
  }

 private:
  Io outcome(int result) {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ: return Io::wait_read;
      case SSL_ERROR_WANT_WRITE: return Io::wait_write;
      case SSL_ERROR_ZERO_RETURN: return Io::closed;
      default: break;
    }
    if (SSL_is_init_finished(ssl_) == 0) tell_failure();
    return Io::failed;
  }

  void tell_failure() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    failures_->add(reason != nullptr ? reason : "the client hung up");
  }

  SSL* const ssl_;
  const int fd_;
  const std::shared_ptr<TlsFailures> failures_;
  std::string held_;
};

std::string printable(const ASN1_STRING* text) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  std::string out(bytes,
                  std::min(static_cast<std::size_t>(std::max(0, ASN1_STRING_length(text))), kLongestName));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

std::string alternative_name(const X509* certificate) {
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string found;
  for (int i = 0; found.empty() && i < sk_GENERAL_NAME_num(names); ++i) {
    int kind = 0;
    const auto* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
    const bool text = kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI;
    if (text) found = printable(static_cast<const ASN1_STRING*>(value));
  }
  GENERAL_NAMES_free(names);
  return found;
}

}  // namespace

void TlsFailures::add(std::string reason) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++report_.count;
  ++report_.total;
  report_.last = std::move(reason);
}

TlsFailures::Report TlsFailures::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto report = report_;
  report_.count = 0;
  return report;
}

std::uint64_t TlsFailures::total() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return report_.total;
}

std::unique_ptr<ByteStream> tls_stream(ssl_st* ssl, int fd, std::shared_ptr<TlsFailures> failures) {
  return std::make_unique<TlsStream>(ssl, fd, std::move(failures));
}

std::string name_of_certificate(const x509_st* certificate) {
  if (auto name = alternative_name(certificate); !name.empty()) return name;
  const auto* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "unnamed";
  return printable(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace trestle
