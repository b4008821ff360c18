#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "bridge/auth/producer_watch.h"

namespace trestle {

/// The domain of ingest's sockets, and of what a bus is told by producers.
inline constexpr const char* kZapDomain = "trestle";

/// Decides which CURVE connections a ZeroMQ context accepts (ZAP, RFC 27): those whose public key is on the
/// list of the socket's domain. The key becomes the User-Id of each message of the connection, so that a
/// receiver can look it up again: see ProducerGate. Everything else is refused, counted, and logged at most
/// once a second; it may try again, so that a key that is listed later works then.
///
/// Without a running handler libzmq accepts any key: make it before any socket binds.
///
/// Owner: whoever owns the context, which outlives it. It has a thread of its own, which also looks after the
/// files of the lists.
class ZapHandler {
 public:
  struct Domain {
    std::string name;
    std::shared_ptr<ProducerWatch> producers;
  };
  /// Throws zmq::error_t if the context has a handler already: a bug of ours.
  ZapHandler(zmq::context_t& context, std::vector<Domain> domains);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

  /// Reads the lists again. Any thread.
  void reload();
  /// Connections refused so far. Any thread.
  std::uint64_t refused() const { return refused_; }

 private:
  void run();
  void answer();
  const ProducerGrant* find(const std::string& domain, const std::string& key) const;
  void refuse(const std::string& address, const std::string& key);
  void tell_refused();

  const std::vector<Domain> domains_;
  zmq::socket_t socket_;
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> reload_{false};
  std::atomic<std::uint64_t> refused_{0};
  std::uint64_t told_ = 0;
  std::string refused_address_;  // the last one's
  std::string refused_key_;
  std::chrono::steady_clock::time_point told_at_{};
  std::thread thread_;
};

/// Makes a socket a CURVE server in a domain of the handler's: every connection is asked about.
void serve_curve(zmq::socket_t& socket, const std::string& secret_key, const char* domain);

/// Looks up who sent a message, in the list as it is now.
///
/// Thread: its owner's.
class ProducerGate {
 public:
  explicit ProducerGate(std::shared_ptr<const ProducerWatch> producers) : producers_(std::move(producers)) {}

  /// Takes the newest list; grants that were found before are no longer valid.
  void refresh();
  /// What the sender of a message may do, by any of its frames but a ROUTER's routing id; nullptr if its key
  /// is not, or no longer, on the list.
  const ProducerGrant* sender(zmq::message_t& frame);

 private:
  const std::shared_ptr<const ProducerWatch> producers_;
  std::shared_ptr<const ProducerList> list_;
  std::string last_key_;  // messages come in runs
  const ProducerGrant* last_ = nullptr;
};

/// The public key by which the sender of a message came in; empty if this side dialed.
std::string_view key_of_sender(zmq::message_t& frame);

}  // namespace trestle
