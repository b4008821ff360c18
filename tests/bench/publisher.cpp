#include "tests/bench/publisher.h"

#include <stdexcept>
#include <zmq.hpp>

#include "clients/bench/pace.h"
#include "clients/bench/stamp.h"

namespace trestle::bench {
namespace {

class ZmqPublisher : public Publisher {
 protected:
  explicit ZmqPublisher(zmq::socket_type type) : socket_(context_, type) {
    // The load's own queue may grow: nothing must be dropped before the server.
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 5'000);
    socket_.set(zmq::sockopt::linger, 5'000);
  }
  void flush() override {}

  zmq::context_t context_;
  zmq::socket_t socket_;
};

class TrestlePublisher : public ZmqPublisher {
 public:
  explicit TrestlePublisher(const std::string& address) : ZmqPublisher(zmq::socket_type::xpub) {
    socket_.connect(address);
    zmq::message_t subscription;
    if (!socket_.recv(subscription)) throw std::runtime_error("no bridge subscribed at " + address);
  }

 protected:
  void send(std::size_t topic, const std::string& event) override {
    socket_.send(zmq::buffer(topic_name(topic)), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(event), zmq::send_flags::none);
  }
};

/// Of http://cr.yp.to/proto/netstrings.txt, with a letter for the type at the end.
std::string tnetstring(const std::string& text, char type) {
  return std::to_string(text.size()) + ":" + text + type;
}

class PushpinPublisher : public ZmqPublisher {
 public:
  explicit PushpinPublisher(const std::string& address) : ZmqPublisher(zmq::socket_type::push) {
    socket_.connect(address);
  }

 protected:
  void send(std::size_t topic, const std::string& event) override {
    const auto string = [](const std::string& text) { return tnetstring(text, ','); };
    const auto content = tnetstring(string("content") + string(envelope_of(event)), '}');
    const auto formats = tnetstring(string("ws-message") + content, '}');
    const auto item =
        tnetstring(string("channel") + string(topic_name(topic)) + string("formats") + formats, '}');
    socket_.send(zmq::buffer("T" + item), zmq::send_flags::none);
  }
};

}  // namespace

void Publisher::publish(const Load& load) {
  const Pace pace(load.per_second);
  for (std::size_t i = 0; i < load.count; ++i) {
    if (load.per_second != 0) flush();
    const auto time = pace.wait_for(i);
    const auto topic = i % load.topics;
    send(topic, stamped_event(topic_name(topic), time, load.size));
  }
  flush();
  finish();
}

std::string topic_name(std::size_t topic) { return "load-" + std::to_string(topic); }

std::string envelope_of(const std::string& event) { return "{\"success\":true,\"data\":" + event + "}"; }

std::unique_ptr<Publisher> trestle_publisher(const std::string& address) {
  return std::make_unique<TrestlePublisher>(address);
}

std::unique_ptr<Publisher> pushpin_publisher(const std::string& address) {
  return std::make_unique<PushpinPublisher>(address);
}

}  // namespace trestle::bench
