#pragma once
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/front/front_context.h"
#include "bridge/front/tls_watch.h"
#include "proto/result.h"

namespace trestle {

class Shard;

/// One listening socket. Hands each connection to the next shard in turn.
///
/// When few file descriptors are left it stops accepting until some are free: what is left is for producers
/// and the journal. It says so, at most once a minute, counts it, and neither spins nor dies.
///
/// Thread: the main loop's; pauses() and turned_away() may be asked from any.
class Listener {
 public:
  using NextShard = std::function<Shard&()>;

  /// `tls` is null for a plain listener, else it outlives this.
  Listener(asio::io_context& io, FrontContext& context, std::shared_ptr<const ListenerInfo> info,
           const TlsWatch* tls, NextShard next_shard);

  /// Binds and listens; port 0 picks one. Refuses a port on which somebody listens already, also with
  /// SO_REUSEPORT. Errors name the line and the key of `settings`, and the way out.
  Result<asio::ip::tcp::endpoint> open(const asio::ip::tcp::endpoint& where, const ListenSettings& settings);
  void start();
  void stop();
  /// How often accepting paused because few descriptors were left.
  std::uint64_t pauses() const { return pauses_; }
  /// Connections that were not listened to: far over the limits, or not from the proxy that should be in
  /// front.
  std::uint64_t turned_away() const { return turned_away_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  void accept();
  void accept_one();
  void hand_over(asio::ip::tcp::socket socket, Shard& shard);
  void turn_away(asio::ip::tcp::socket& socket, Admission::Answer why);
  void pause();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  FrontContext& context_;
  std::shared_ptr<const ListenerInfo> info_;
  const TlsWatch* const tls_;
  NextShard next_shard_;
  bool paused_ = false;
  std::atomic<std::uint64_t> pauses_{0};
  std::atomic<std::uint64_t> turned_away_{0};
  Time quiet_until_{};  // for the log
  Time away_quiet_until_{};
};

/// The addresses that a configured one stands for: `localhost` is 127.0.0.1 and ::1, everything else must be
/// an IP address.
Result<std::vector<asio::ip::address>> resolve_listen_address(const std::string& address);

}  // namespace trestle
