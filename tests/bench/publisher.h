#pragma once
#include <cstddef>
#include <memory>
#include <string>

namespace trestle::bench {

/// What is published: `count` events of `size` bytes, event n on topic n % `topics`, as fast as they go or
/// `per_second`.
struct Load {
  std::size_t count = 1'000;
  std::size_t size = 200;
  std::size_t per_second = 0;
  std::size_t topics = 1;
};

/// Publishes to a server in its own fastest simple way. Throws std::runtime_error when it can't.
class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Returns when the server has been given everything.
  virtual void publish(const Load& load);

 protected:
  /// `event` is the JSON of the event alone; may be kept back until flush().
  virtual void send(std::size_t topic, const std::string& event) = 0;
  virtual void flush() = 0;
  /// After the last flush().
  virtual void finish() {}
};

/// Plain two-frame events over ZeroMQ, to trestled; waits until it has subscribed.
std::unique_ptr<Publisher> trestle_publisher(const std::string& address);
/// Tells the floor program to publish by itself.
std::unique_ptr<Publisher> floor_publisher(const std::string& address);
/// NATS's protocol over TCP.
std::unique_ptr<Publisher> nats_publisher(const std::string& address);
/// HTTP POST, kept alive and pipelined, to /pub/TOPIC.
std::unique_ptr<Publisher> nchan_publisher(const std::string& address);
/// MQTT 3.1.1 over TCP, QoS 0.
std::unique_ptr<Publisher> mosquitto_publisher(const std::string& address);
/// ZeroMQ PUSH.
std::unique_ptr<Publisher> pushpin_publisher(const std::string& address);

/// The type of the events of a topic, and the topic's name at every server.
std::string topic_name(std::size_t topic);
/// What trestled makes of an event for its clients; the other servers are given it, so that all deliver the
/// same text.
std::string envelope_of(const std::string& event);

}  // namespace trestle::bench
