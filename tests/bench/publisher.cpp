#include "tests/bench/publisher.h"

#include <stdexcept>
#include <thread>

namespace trestle::bench {
namespace {

std::string event_of(std::size_t size, std::size_t number) {
  std::string event = R"({"type":"load","n":)" + std::to_string(number) + R"(,"pad":")";
  if (event.size() + 2 < size) event.append(size - event.size() - 2, 'x');
  return event + "\"}";
}

}  // namespace

Publisher::Publisher(const std::string& address) : socket_(context_, zmq::socket_type::xpub) {
  socket_.set(zmq::sockopt::sndhwm,
              0);  // the load's own queue may grow: nothing must be dropped before the bridge
  socket_.set(zmq::sockopt::rcvtimeo, 5'000);
  socket_.connect(address);
  zmq::message_t subscription;
  if (!socket_.recv(subscription)) throw std::runtime_error("no bridge subscribed at " + address);
}

void Publisher::publish(std::size_t count, std::size_t size, std::size_t per_second) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (per_second != 0) {
      std::this_thread::sleep_until(start + std::chrono::microseconds(1'000'000 * i / per_second));
    }
    socket_.send(zmq::str_buffer("load"), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(event_of(size, i)), zmq::send_flags::none);
  }
}

}  // namespace trestle::bench
