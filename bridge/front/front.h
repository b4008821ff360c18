#pragma once
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/ports.h"
#include "bridge/front/front_context.h"
#include "bridge/front/listener.h"
#include "bridge/front/shard.h"
#include "bridge/front/tls_watch.h"

namespace trestle {

/// Everything clients see: the listeners, and the shards that sessions live on.
///
/// Thread: deliver() and has_room() are the spine's; the rest belongs to the main loop.
class Front final : public BatchSink {
 public:
  /// `settings`, `authority` and `policies` outlive it.
  Front(asio::io_context& main, const Settings& settings, const Authority& authority,
        const PolicyTable& policies);
  ~Front() override;

  /// Opens every listener; nothing is accepted yet. Errors are for the operator.
  Result<std::monostate> open();
  /// Reads certificate and key once more, as whoever the process is by now: what can't be read later shall be
  /// said at the start.
  Result<std::monostate> reopen_tls();
  /// Reads certificate and key again, if a listener uses them; what can't be used is logged and left.
  void reload_tls();
  /// What the stream kept from before this start, `kept` its events; before start().
  void load(const Batch& kept, const Past& past);
  /// Starts shards and listeners. `probe` outlives the front's threads.
  void start(SpineProbe& probe);
  /// Accepts nothing more and asks every session to leave; returns at once.
  void drain();
  /// Waits until no session is left, or for `patience`, then ends the shards.
  void stop(std::chrono::milliseconds patience);

  bool has_room() const override;
  void deliver(const BatchPtr& batch) override;

  /// Where the first listener listens, for the URL that people open: "http://localhost:3001".
  const std::string& url() const { return url_; }

 private:
  Result<std::monostate> open_listener(const ListenSettings& settings);
  void gather_status(IdentityPtr reader, std::function<void(std::string)> answer);
  std::size_t session_count() const;
  Shard& next_shard();

  struct Opened {
    std::string address;
    std::uint16_t port;
    bool tls;
  };

  asio::io_context& main_;
  FrontContext context_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<TlsWatch> tls_;  // if a listener uses it
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Opened> opened_;  // told by start(): a start that fails says only why
  std::size_t next_ = 0;
  SpineProbe* probe_ = nullptr;
  std::string url_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace trestle
