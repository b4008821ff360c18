#include "bridge/ingest/zmq_sockets.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge/log/log.h"

namespace trestle {
namespace {

constexpr int kReceiveHwm = 10'000;  // messages, per producer
constexpr int kControlHwm = 1'000;
constexpr int kHeartbeatMs = 2'000;  // ZMTP: notices a peer that vanished without a word
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 5'000;
constexpr std::string_view kIpc = "ipc://";

bool is_ipc(const std::string& address) { return address.compare(0, kIpc.size(), kIpc) == 0; }

bool has_ipv6(const std::string& address) { return address.find('[') != std::string::npos; }

Error bind_error(const char* key, const std::string& address, const std::string& why) {
  return Error{std::string("cannot bind ") + key + " to " + address + ": " + why};
}

}  // namespace

ZmqSockets::ZmqSockets(zmq::context_t& context)
    : events_(context, zmq::socket_type::sub), control_(context, zmq::socket_type::router) {}

ZmqSockets::~ZmqSockets() {
  for (const int lock : ipc_locks_) ::close(lock);
}

Result<std::unique_ptr<ZmqSockets>> ZmqSockets::open(zmq::context_t& context,
                                                     const IngestSettings& settings) {
  std::unique_ptr<ZmqSockets> sockets(new ZmqSockets(context));
  sockets->set_options(settings);
  for (const auto& address : settings.bind) {
    if (auto bound = sockets->bind(sockets->events_, address, "ingest.bind"); !bound) return bound.error();
  }
  for (const auto& address : settings.connect) {
    sockets->events_.set(zmq::sockopt::ipv6, has_ipv6(address));
    try {
      sockets->events_.connect(address);
    } catch (const zmq::error_t& error) {
      return Error{"cannot connect ingest.connect to " + address + ": " + error.what()};
    }
    log::info("connecting to producers", {{"address", address}});
  }
  if (!settings.control.empty()) {
    if (auto bound = sockets->bind(sockets->control_, settings.control, "ingest.control"); !bound)
      return bound.error();
  }
  return sockets;
}

void ZmqSockets::set_options(const IngestSettings& settings) {
  // What lies between max_event and this is counted and refused; only abuse is cut off.
  const auto max_message = static_cast<std::int64_t>(settings.max_event) * 4;
  for (auto* socket : {&events_, &control_}) {
    socket->set(zmq::sockopt::linger, 0);
    socket->set(zmq::sockopt::maxmsgsize, max_message);
    socket->set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
    socket->set(zmq::sockopt::heartbeat_timeout, 3 * kHeartbeatMs);
    socket->set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket->set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  }
  events_.set(zmq::sockopt::rcvhwm, kReceiveHwm);
  events_.set(zmq::sockopt::subscribe, "");
  control_.set(zmq::sockopt::rcvhwm, kControlHwm);
  control_.set(zmq::sockopt::sndhwm, kControlHwm);
}

Result<std::monostate> ZmqSockets::bind(zmq::socket_t& socket, const std::string& address, const char* key) {
  if (is_ipc(address)) {
    if (auto locked = lock_ipc(address, key); !locked) return locked;
  }
  socket.set(zmq::sockopt::ipv6, has_ipv6(address));
  try {
    socket.bind(address);
  } catch (const zmq::error_t& error) {
    const bool in_use = error.num() == EADDRINUSE;
    return bind_error(key, address,
                      in_use ? "the address is in use, perhaps by another trestled" : error.what());
  }
  if (is_ipc(address)) ::chmod(address.c_str() + kIpc.size(), 0660);
  bound_.emplace_back(key, socket.get(zmq::sockopt::last_endpoint));
  return std::monostate{};
}

// Binding an ipc:// path silently takes it away from whoever has it; a lock beside it makes the second one
// fail instead.
void ZmqSockets::announce() const {
  for (const auto& [key, address] : bound_) {
    log::info("listening for producers", {{"key", key}, {"address", address}});
  }
}

Result<std::monostate> ZmqSockets::lock_ipc(const std::string& address, const char* key) {
  const auto path = address.substr(kIpc.size()) + ".lock";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  if (lock < 0) return bind_error(key, address, path + ": " + std::strerror(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return bind_error(key, address, "the path is in use, perhaps by another trestled");
  }
  ipc_locks_.push_back(lock);
  return std::monostate{};
}

}  // namespace trestle
