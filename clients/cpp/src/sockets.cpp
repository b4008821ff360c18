#include "clients/cpp/src/sockets.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <set>
#include <system_error>

#include "proto/control.h"
#include "proto/stamp.h"

namespace trestle::client {
namespace {

struct Lent {
  OutEventPtr event;
  InFlight* in_flight;
};

// Called by libzmq, from its own thread, when the last peer's copy of the payload has left.
void give_back(void*, void* hint) {
  const auto* lent = static_cast<Lent*>(hint);
  lent->in_flight->fetch_sub(lent->event->size(), std::memory_order_relaxed);
  delete lent;
}

zmq::message_t lend_payload(const OutEventPtr& event, InFlight& in_flight) {
  in_flight.fetch_add(event->size(), std::memory_order_relaxed);
  // libzmq wants a mutable pointer but only reads what it sends.
  auto* bytes = const_cast<char*>(event->payload.data());
  return zmq::message_t(bytes, event->payload.size(), give_back, new Lent{event, &in_flight});
}

void send_rest(zmq::socket_t& socket, zmq::const_buffer frame) {
  // Once the first frame of a message is accepted the others are too.
  (void)socket.send(frame, zmq::send_flags::sndmore | zmq::send_flags::dontwait);
}

}  // namespace

void set_common_options(zmq::socket_t& socket, int send_hwm) {
  socket.set(zmq::sockopt::sndhwm, send_hwm);
  socket.set(zmq::sockopt::immediate, true);
  socket.set(zmq::sockopt::linger, 250);
  socket.set(zmq::sockopt::heartbeat_ivl, 2'000);
  socket.set(zmq::sockopt::heartbeat_timeout, 6'000);
  socket.set(zmq::sockopt::heartbeat_ttl, 10'000);
  socket.set(zmq::sockopt::handshake_ivl, 5'000);
  // Then a new attempt: the pauses between one attempt's packets double, up to minutes in a long outage.
  socket.set(zmq::sockopt::connect_timeout, 5'000);
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 2'000);
}

bool send_event(zmq::socket_t& socket, const std::string& producer, std::uint64_t epoch,
                const OutEventPtr& event, bool as_replay, InFlight& in_flight) {
  const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
  const auto stamp = encode(Stamp{epoch, event->seq, event->time});
  if (as_replay) {
    if (!socket.send(zmq::buffer(kControlEvent), more)) return false;
    send_rest(socket, zmq::buffer(event->topic));
  } else if (!socket.send(zmq::buffer(event->topic), more)) {
    return false;
  }
  send_rest(socket, zmq::buffer(producer));
  send_rest(socket, zmq::buffer(stamp));
  zmq::message_t payload = lend_payload(event, in_flight);
  (void)socket.send(payload, zmq::send_flags::dontwait);
  return true;
}

EventSocket::EventSocket(zmq::context_t& context, const std::vector<BridgeAddress>& bridges,
                         const CurveKeys& keys, std::size_t hwm)
    : socket_(context, zmq::socket_type::xpub) {
  set_common_options(socket_, static_cast<int>(hwm));
  // Every subscriber is counted, coming and going, not only the first and the last of a kind.
  socket_.set(zmq::sockopt::xpub_verboser, true);
  std::set<std::string> connected;
  for (const BridgeAddress& bridge : bridges) {
    if (!connected.insert(bridge.events).second) continue;
    use_curve(socket_, keys, bridge.bus_key.empty() ? bridge.server_key : bridge.bus_key);
    socket_.connect(bridge.events);
  }
}

void EventSocket::read_subscriptions() {
  zmq::message_t message;
  while (socket_.recv(message, zmq::recv_flags::dontwait)) {
    if (message.size() == 0) continue;
    subscribers_ += *message.data<char>() == 1 ? 1 : -1;
  }
}

Waker::Waker() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Waker::~Waker() { close(fd_); }

void Waker::wake() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the poll is awake anyway.
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void Waker::drain() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
}

}  // namespace trestle::client
