#pragma once
#include <memory>
#include <optional>
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

class TlsContext;

/// What came of reading the files again.
struct TlsReload {
  std::shared_ptr<const TlsContext> context;  ///< null if nothing of it can be used
  std::optional<Error> pair_fault;            ///< why certificate and key are those from before
  std::optional<Error> client_ca_fault;       ///< why the authorities of clients are
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
  /// Reads the files again. The pair of certificate and key, and the authorities of clients, count each by
  /// itself: one with a fault is as it is in this context. So a fault in the other keeps no certificate from
  /// being renewed and no authority from being taken off; and clients are never asked for less than one whole
  /// file of authorities says.
  TlsReload reload(const TlsSettings& settings) const;
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
