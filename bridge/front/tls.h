#pragma once
#include <memory>

#include "bridge/config/settings.h"
#include "bridge/front/byte_stream.h"
#include "proto/result.h"

struct ssl_ctx_st;

namespace trestle {

/// A certificate and its key, ready for handshakes. TLS 1.2 and later. Immutable; any thread.
class TlsContext {
 public:
  /// Errors name the file and the reason: unreadable, no PEM, key and certificate that do not belong
  /// together, a pass phrase.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// The server side of a TLS connection on the socket. OpenSSL writes without MSG_NOSIGNAL: the process must
  /// ignore SIGPIPE, as main() makes sure. Throws std::bad_alloc only.
  std::unique_ptr<ByteStream> accept(int fd) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace trestle
