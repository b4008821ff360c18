#pragma once
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/front/front_context.h"
#include "bridge/front/tls.h"
#include "proto/result.h"

namespace trestle {

class Shard;

/// One listening socket. Hands each connection to the next shard in turn.
///
/// When descriptors run out it stops accepting for a moment, says so once, and goes on: it neither spins nor
/// dies. Thread: the main loop's.
class Listener {
 public:
  using NextShard = std::function<Shard&()>;

  /// `tls` is null for a plain listener.
  Listener(asio::io_context& io, std::shared_ptr<const ListenerInfo> info,
           std::shared_ptr<const TlsContext> tls, NextShard next_shard);

  /// Binds and listens; port 0 picks one. Refuses a port on which somebody listens already, also with
  /// SO_REUSEPORT.
  Result<asio::ip::tcp::endpoint> open(const asio::ip::tcp::endpoint& where);
  void start();
  void stop();

 private:
  void accept();
  void hand_over(asio::ip::tcp::socket socket, Shard& shard);
  void pause();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<const ListenerInfo> info_;
  std::shared_ptr<const TlsContext> tls_;
  NextShard next_shard_;
  bool short_of_descriptors_ = false;
};

/// The addresses that a configured one stands for: `localhost` is 127.0.0.1 and ::1, everything else must be
/// an IP address.
Result<std::vector<asio::ip::address>> resolve_listen_address(const std::string& address);

}  // namespace trestle
