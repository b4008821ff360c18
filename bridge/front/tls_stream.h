#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "bridge/front/byte_stream.h"

struct ssl_st;
struct x509_st;

namespace trestle {

/// Handshakes that failed: how many, and why the last one did. Any thread.
class TlsFailures {
 public:
  struct Report {
    std::uint64_t count = 0;  ///< since the last take()
    std::uint64_t total = 0;
    std::string last;  ///< OpenSSL's reason
  };
  void add(std::string reason);
  Report take();
  std::uint64_t total() const;

 private:
  mutable std::mutex mutex_;
  Report report_;
};

/// The server side of TLS on a socket; takes the SSL over. A record that the socket did not take whole is
/// kept and finished here: OpenSSL has encrypted it, so nothing else may go out before it.
std::unique_ptr<ByteStream> tls_stream(ssl_st* ssl, int fd, std::shared_ptr<TlsFailures> failures);

/// The first DNS name, mail address or URI of a certificate, else its common name, else "unnamed"; what is
/// not printable ASCII is shown as `?`. At most 200 bytes.
std::string name_of_certificate(const x509_st* certificate);

}  // namespace trestle
