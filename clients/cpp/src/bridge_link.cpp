#include "clients/cpp/src/bridge_link.h"

#include <cstdint>
#include <cstring>

namespace trestle::client {
namespace {

// A few seconds of replay at most wait in the socket; the rest is pulled from the buffer as it drains.
constexpr int kControlHwm = 1'000;

std::string watch(zmq::socket_t& socket) {
  const std::string address =
      "inproc://control-" + std::to_string(reinterpret_cast<std::uintptr_t>(socket.handle()));
  const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
  if (zmq_socket_monitor(socket.handle(), address.c_str(), events) != 0) throw zmq::error_t();
  return address;
}

}  // namespace

BridgeLink::BridgeLink(zmq::context_t& context, const BridgeAddress& bridge, const CurveKeys& keys,
                       const Identity& identity, BridgeState::Timing timing, InFlight& in_flight,
                       TimePoint now)
    : identity_(identity),
      in_flight_(in_flight),
      dealer_(context, zmq::socket_type::dealer),
      monitor_(context, zmq::socket_type::pair),
      state_(bridge.control, timing, now) {
  set_common_options(dealer_, kControlHwm);
  use_curve(dealer_, keys, bridge.server_key);
  monitor_.set(zmq::sockopt::linger, 0);
  monitor_.connect(watch(dealer_));
  dealer_.connect(bridge.control);
}

void BridgeLink::add_poll_items(std::vector<zmq::pollitem_t>& items) {
  const bool waits = blocked_ || (connected_ && !greeted_);
  items.push_back(
      {dealer_.handle(), 0, static_cast<short>(waits ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN), 0});
  items.push_back({monitor_.handle(), 0, ZMQ_POLLIN, 0});
}

BridgeState::Effect BridgeLink::read(const ReplayBuffer& buffer, TimePoint now) {
  // First of all: after a reconnect nothing may be sent before hello, or the bridge takes a beat for one and
  // misses `acked`.
  read_monitor();
  blocked_ = false;
  BridgeState::Effect effect;
  const Seq last = buffer.slice(0, 0, 0, 0).last;
  for (int i = 0; i < kMessages; ++i) {
    const auto message = receive();
    if (!message) break;
    if (message->kind == FromBridge::Kind::command) refuse_command(*message);
    BridgeState::Effect one = state_.on(*message, last, now);
    if (one.joined) effect.joined = one.joined;
    effect.lost.insert(effect.lost.end(), one.lost.begin(), one.lost.end());
  }
  return effect;
}

void BridgeLink::read_monitor() {
  zmq::message_t event;
  while (monitor_.recv(event, zmq::recv_flags::dontwait)) {
    std::uint16_t kind = 0;
    if (event.size() >= sizeof kind) std::memcpy(&kind, event.data(), sizeof kind);
    zmq::message_t address;
    (void)monitor_.recv(address, zmq::recv_flags::dontwait);
    if (kind == ZMQ_EVENT_DISCONNECTED) disconnected();
    if (kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) connected_ = true;
  }
}

void BridgeLink::disconnected() {
  connected_ = greeted_ = false;
  state_.disconnected();
}

std::optional<FromBridge> BridgeLink::receive() {
  zmq::message_t frame;
  while (dealer_.recv(frame, zmq::recv_flags::dontwait)) {
    bool single = true;
    while (frame.more()) {
      single = false;
      if (!dealer_.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
    }
    if (!single) continue;  // no message of a bridge's has several frames
    auto message = decode_from_bridge(frame.to_string_view());
    if (message && addressed_to_us(*message)) return std::move(*message);
  }
  return std::nullopt;
}

bool BridgeLink::addressed_to_us(const FromBridge& message) const {
  if (message.producer != identity_.producer) return false;
  // A refusal may name the epoch of the producer that holds the id.
  return message.epoch == identity_.epoch || message.kind == FromBridge::Kind::refused;
}

void BridgeLink::refuse_command(const FromBridge& command) {
  FromProducer result = message(FromProducer::Kind::result);
  result.id = command.id;
  result.success = false;
  result.data = R"({"message":"this producer takes no commands"})";
  send(result);
}

void BridgeLink::beat(const ReplayBuffer& buffer, TimePoint now) {
  if (!greeted_ || state_.should_greet(now)) {
    say_hello(buffer);
    return;
  }
  const Slice held = buffer.slice(0, 0, 0, 0);
  FromProducer beat = message(FromProducer::Kind::beat);
  beat.first = held.first;
  beat.last = held.last;
  send(beat);
}

void BridgeLink::greet(const ReplayBuffer& buffer) {
  if (connected_ && !greeted_) say_hello(buffer);
}

bool BridgeLink::say_hello(const ReplayBuffer& buffer) {
  const Slice held = buffer.slice(0, 0, 0, 0);
  FromProducer hello = message(FromProducer::Kind::hello);
  hello.first = held.first;
  hello.last = held.last;
  hello.acked = state_.acked();
  greeted_ = send(hello);
  return greeted_;
}

bool BridgeLink::answer_replay(const ReplayBuffer& buffer) {
  const Range* wanted = state_.replay();
  if (wanted == nullptr || blocked_) return false;
  const Range range = *wanted;
  const Slice slice = buffer.slice(range.first, range.second, kReplayEvents, kReplayBytes);
  if (slice.first > range.first) {
    // All that is gone, not only what was asked for: so that one hole becomes one gap.
    FromProducer gone = message(FromProducer::Kind::gone);
    gone.from = range.first;
    gone.to = slice.first - 1;
    blocked_ = !send(gone);
    if (!blocked_) state_.answered(std::min(range.second, gone.to));
    return !blocked_ && state_.replay() != nullptr;
  }
  for (const OutEventPtr& event : slice.events) {
    blocked_ = !send_event(dealer_, identity_.producer, identity_.epoch, event, true, in_flight_);
    if (blocked_) return false;
    state_.answered(event->seq);
  }
  return state_.replay() != nullptr;
}

void BridgeLink::bye(Seq last) {
  FromProducer bye = message(FromProducer::Kind::bye);
  bye.last = last;
  if (greeted_) send(bye);
}

FromProducer BridgeLink::message(FromProducer::Kind kind) const {
  FromProducer message;
  message.kind = kind;
  message.producer = identity_.producer;
  message.epoch = identity_.epoch;
  return message;
}

bool BridgeLink::send(const FromProducer& message) {
  return dealer_.send(zmq::buffer(encode(message)), zmq::send_flags::dontwait).has_value();
}

}  // namespace trestle::client
