#pragma once
#include <atomic>
#include <cstddef>
#include <string>
#include <zmq.hpp>

#include "clients/cpp/src/curve.h"
#include "clients/cpp/src/replay_buffer.h"

namespace trestle::client {

/// Bytes of events that libzmq holds on our behalf. They are mostly the replay buffer's own; an event that
/// was dropped from the buffer may still wait here, and this keeps that bounded.
using InFlight = std::atomic<std::size_t>;

/// The socket settings that both kinds share: heartbeats find dead peers, nothing is queued for an absent
/// one, and closing never takes long.
void set_common_options(zmq::socket_t& socket, int send_hwm);

/// Sends the four frames of a sequenced message without blocking and without copying the payload. False if
/// the socket takes nothing now; then nothing was sent. `in_flight` must outlive the socket's context.
bool send_event(zmq::socket_t& socket, const std::string& producer, std::uint64_t epoch,
                const OutEventPtr& event, bool as_replay, InFlight& in_flight);

/// The PUB side of the event socket. An XPUB, because that one sees subscriptions: without a subscriber
/// libzmq throws events away, so that they better stay in the buffer until there is one.
///
/// Owner: the I/O thread.
class EventSocket {
 public:
  /// Connects to each address once. Throws zmq::error_t for an address that can't be one.
  EventSocket(zmq::context_t& context, const std::vector<BridgeAddress>& bridges, const CurveKeys& keys,
              std::size_t hwm);

  zmq::socket_t& socket() { return socket_; }
  void read_subscriptions();
  bool has_subscriber() const { return subscribers_ > 0; }

 private:
  zmq::socket_t socket_;
  int subscribers_ = 0;
};

/// Wakes a poll from any thread.
class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  int fd() const { return fd_; }
  void wake();
  void drain();

 private:
  int fd_;
};

}  // namespace trestle::client
