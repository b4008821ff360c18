#pragma once
#include <memory>
#include <string>

#include "bridge/config/settings.h"
#include "bridge/front/byte_stream.h"
#include "proto/result.h"
#include "proto/types.h"

struct ssl_ctx_st;

namespace trestle {

class TlsFailures;

/// What the server's own certificate says.
struct TlsCertificate {
  std::string name;  ///< the first name in it, else its common name
  Micros from = 0;
  Micros until = 0;
};

/// A certificate and its key, ready for handshakes: TLS 1.2 with forward secrecy and AEAD ciphers, and 1.3.
/// No renegotiation, no compression; a session is resumed by ticket, for an hour at most and not after the
/// certificate was replaced; no state is kept for it. Immutable; any thread.
class TlsContext {
 public:
  /// Errors name the place in the configuration, the file and the reason: unreadable, no PEM, key and
  /// certificate that do not belong together, a pass phrase, a key that everybody can read. Handshakes that
  /// fail are told to `failures`.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings,
                                                        std::shared_ptr<TlsFailures> failures);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const TlsCertificate& certificate() const { return certificate_; }
  /// The server side of a TLS connection on the socket. OpenSSL writes without MSG_NOSIGNAL: the process must
  /// ignore SIGPIPE, as main() makes sure. Throws std::bad_alloc only.
  std::unique_ptr<ByteStream> accept(int fd) const;

 private:
  TlsContext(ssl_ctx_st* context, std::shared_ptr<TlsFailures> failures)
      : context_(context), failures_(std::move(failures)) {}

  ssl_ctx_st* const context_;
  const std::shared_ptr<TlsFailures> failures_;
  TlsCertificate certificate_;
};

}  // namespace trestle
