#pragma once
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "bridge/config/settings.h"
#include "bridge/front/tls.h"
#include "bridge/front/tls_stream.h"
#include "bridge/store/file_watch.h"
#include "proto/result.h"

namespace trestle {

/// The TLS part of /api/status.
struct TlsStatus {
  bool used = false;
  TlsCertificate certificate;
  std::string trouble;  ///< why some file, as it is now, is not in force; empty while all are
  std::uint64_t failed_handshakes = 0;
};

/// The certificate that new connections are shown. Looks four times a second whether one of the files is
/// another one (renamed over, a symlink that leads elsewhere, rights that changed) and takes the new ones
/// once they stay as they are for one look, so that a pair is not read while it is being written. While
/// somebody goes on changing them what can't be used is passed over, for the next: see FileWatch.
/// Connections keep what they began with. A pair of certificate and key that can't be used is logged once,
/// and the one before stays; so it is with the authorities of clients, each by itself.
///
/// Warns when the certificate nears its end: from 14 days before, at every start and reload and once a day.
///
/// Thread: the main loop's; status() from any.
class TlsWatch {
 public:
  TlsWatch(asio::io_context& io, TlsSettings settings);

  /// Reads the files for the first time; the error is for the operator.
  Result<std::monostate> open();
  void start();
  void stop();
  /// Reads the files now, changed or not; logs how that went.
  void reload();
  /// Only after open().
  const TlsContext& current() const { return *context_; }
  TlsStatus status() const;

 private:
  static constexpr std::chrono::milliseconds kEvery{250};

  void wait();
  void look();
  void take();
  void take_unsettled();
  void put(const TlsReload& read, bool settled);
  void warn_of_expiry();
  void tell_failures(std::chrono::steady_clock::time_point now);

  const TlsSettings settings_;
  asio::steady_timer timer_;
  const std::shared_ptr<TlsFailures> failures_ = std::make_shared<TlsFailures>();
  std::shared_ptr<const TlsContext> context_;
  FileWatch files_;
  std::chrono::steady_clock::time_point expiry_told_{};
  std::chrono::steady_clock::time_point failures_told_{};
  mutable std::mutex mutex_;
  TlsStatus status_;  // guarded by mutex_
};

}  // namespace trestle
