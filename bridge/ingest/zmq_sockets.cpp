#include "bridge/ingest/zmq_sockets.h"

#include <algorithm>

#include "bridge/ingest/curve_files.h"
#include "bridge/ingest/zmq_bind.h"
#include "bridge/log/log.h"
#include "proto/event.h"

namespace trestle {
namespace {

constexpr int kReceiveHwm = 10'000;  // messages, per producer
constexpr int kControlHwm = 1'000;
// ZMTP heartbeats notice a peer that vanished without a word. Peers are told the timeout too: a PUB without
// heartbeats of its own would only notice after TCP's quarter of an hour that the bridge's machine is gone.
constexpr int kHeartbeatMs = 2'000;
constexpr int kHeartbeatTimeoutMs = 3 * kHeartbeatMs;
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 5'000;
// Then a new attempt: the pauses between one attempt's packets double, up to minutes in a long outage.
constexpr int kConnectMs = 5'000;

}  // namespace

ZmqSockets::ZmqSockets()
    : events_(context_, zmq::socket_type::sub), control_(context_, zmq::socket_type::router) {}

Result<std::unique_ptr<ZmqSockets>> ZmqSockets::open(const IngestSettings& settings) {
  std::unique_ptr<ZmqSockets> sockets(new ZmqSockets());
  sockets->set_options(settings);
  if (settings.curve.enabled()) {
    if (auto used = sockets->use_curve(settings.curve); !used) return used.error();
  }
  for (const auto& address : settings.bind) {
    if (auto bound = sockets->bind(sockets->events_, address, "ingest.bind"); !bound) return bound.error();
  }
  for (std::size_t i = 0; i < settings.connect.size(); ++i) {
    if (settings.curve.enabled()) sockets->dial_with(settings.curve.server_keys[i]);
    if (auto connected = sockets->connect(settings.connect[i]); !connected) return connected.error();
  }
  if (!settings.control.empty()) {
    if (auto bound = sockets->bind(sockets->control_, settings.control, "ingest.control"); !bound)
      return bound.error();
  }
  return sockets;
}

void ZmqSockets::set_options(const IngestSettings& settings) {
  // What lies between max_event and this is counted and refused; only abuse is cut off. What our own
  // producers send unless told otherwise is none: a sequenced event that is cut off is sent again, and cut
  // off again.
  const auto max_event = std::max(settings.max_event, EventLimits{}.max_bytes);
  const auto max_message = static_cast<std::int64_t>(max_event) * 4;
  for (auto* socket : {&events_, &control_}) {
    socket->set(zmq::sockopt::linger, 0);
    socket->set(zmq::sockopt::maxmsgsize, max_message);
    socket->set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
    socket->set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
    socket->set(zmq::sockopt::heartbeat_ttl, kHeartbeatTimeoutMs);
    socket->set(zmq::sockopt::connect_timeout, kConnectMs);
    socket->set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket->set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  }
  events_.set(zmq::sockopt::rcvhwm, kReceiveHwm);
  events_.set(zmq::sockopt::subscribe, "");
  control_.set(zmq::sockopt::rcvhwm, kControlHwm);
  control_.set(zmq::sockopt::sndhwm, kControlHwm);
  control_.set(zmq::sockopt::router_mandatory, true);  // an answer that nobody gets must be known
}

// Before any bind: without a handler libzmq takes whatever key comes.
Result<std::monostate> ZmqSockets::use_curve(const CurveSettings& settings) {
  auto files = open_curve_files(settings);
  if (!files) return files.error();
  keys_ = std::move(files->keys);
  producers_ = std::move(files->producers);
  if (producers_) {
    zap_ = std::make_unique<ZapHandler>(context_, std::vector<ZapHandler::Domain>{{kZapDomain, producers_}});
  }
  for (auto* socket : {&events_, &control_}) serve_curve(*socket, keys_.secret_key, kZapDomain);
  return std::monostate{};
}

// What is bound keeps the server's role: options count for what is bound or connected after them.
void ZmqSockets::dial_with(const std::string& server_key) {
  events_.set(zmq::sockopt::curve_server, false);
  events_.set(zmq::sockopt::curve_publickey, keys_.public_key);
  events_.set(zmq::sockopt::curve_secretkey, keys_.secret_key);
  events_.set(zmq::sockopt::curve_serverkey, server_key);
}

Result<std::monostate> ZmqSockets::bind(zmq::socket_t& socket, const std::string& address, const char* key) {
  auto lock = bind_zmq(socket, address);
  if (!lock) return cannot_bind(key, address, lock.error().message);
  locks_.push_back(std::move(*lock));
  bound_.emplace_back(key, socket.get(zmq::sockopt::last_endpoint));
  return std::monostate{};
}

Result<std::monostate> ZmqSockets::connect(const std::string& address) {
  choose_ip_version(events_, address);
  try {
    events_.connect(address);
  } catch (const zmq::error_t& error) {
    return Error{"cannot connect ingest.connect to " + address + ": " + error.what()};
  }
  log::info("connecting to producers", {{"address", address}});
  return std::monostate{};
}

void ZmqSockets::announce() const {
  for (const auto& [key, address] : bound_) {
    log::info("listening for producers", {{"key", key}, {"address", address}});
  }
  if (producers_) {
    log::info("CURVE is on",
              {{"public_key", keys_.public_key}, {"producers", producers_->current()->size()}});
  }
}

}  // namespace trestle
