#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "clients/cpp/src/bridge_state.h"
#include "clients/cpp/src/sockets.h"

namespace trestle::client {

/// Who we are on the wire.
struct Identity {
  std::string producer;
  std::uint64_t epoch = 0;
};

/// The control connection to one bridge: a DEALER, the monitor that says when it comes and goes, and the
/// state behind.
///
/// Owner: the I/O thread. No call blocks. Work per call is bounded, so that one bridge's long replay never
/// holds up the others or the firehose.
class BridgeLink {
 public:
  /// Throws zmq::error_t for an address that can't be one.
  BridgeLink(zmq::context_t& context, const BridgeAddress& bridge, const CurveKeys& keys,
             const Identity& identity, BridgeState::Timing timing, InFlight& in_flight, TimePoint now);

  /// What to poll for: the DEALER first, the monitor second.
  void add_poll_items(std::vector<zmq::pollitem_t>& items);
  /// Connections gone and come, then what the bridge says. Never more than kMessages of it; what is left
  /// keeps the socket readable.
  BridgeState::Effect read(const ReplayBuffer& buffer, TimePoint now);
  /// Says hello or beat.
  void beat(const ReplayBuffer& buffer, TimePoint now);
  /// Says hello if a connection waits for it.
  void greet(const ReplayBuffer& buffer);
  /// Sends part of what the bridge asked for. True if there is more and the socket takes it.
  bool answer_replay(const ReplayBuffer& buffer);
  void bye(Seq last);

  BridgeState& state() { return state_; }

 private:
  static constexpr int kMessages = 256;
  static constexpr std::size_t kReplayEvents = 256;
  static constexpr std::size_t kReplayBytes = 512 * 1024;

  void read_monitor();
  void disconnected();
  std::optional<FromBridge> receive();
  bool addressed_to_us(const FromBridge& message) const;
  void refuse_command(const FromBridge& command);
  bool say_hello(const ReplayBuffer& buffer);
  bool send(const FromProducer& message);
  FromProducer message(FromProducer::Kind kind) const;

  const Identity& identity_;
  InFlight& in_flight_;
  zmq::socket_t dealer_;
  zmq::socket_t monitor_;
  BridgeState state_;
  bool connected_ = false;
  bool greeted_ = false;  // hello was sent on this connection
  bool blocked_ = false;  // a replay waits until the socket takes more
};

}  // namespace trestle::client
