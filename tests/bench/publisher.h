#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <zmq.hpp>

namespace trestle::bench {

/// Publishes plain two-frame events.
class Publisher {
 public:
  /// Connects and waits until the bridge has subscribed.
  explicit Publisher(const std::string& address);
  /// `count` events of `size` bytes of payload; as fast as they go, or `per_second`.
  void publish(std::size_t count, std::size_t size, std::size_t per_second);

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace trestle::bench
