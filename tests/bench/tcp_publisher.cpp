// The publishers that speak a protocol of their own over one TCP connection: the floor's, NATS, HTTP, MQTT.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

#include "clients/bench/wire.h"
#include "tests/bench/mqtt.h"
#include "tests/bench/publisher.h"

namespace trestle::bench {
namespace {

/// HOST:PORT
Target target_of(const std::string& address) {
  const auto colon = address.rfind(':');
  Target target;
  target.host = address.substr(0, colon);
  target.port = static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
  return target;
}

class TcpPublisher : public Publisher {
 protected:
  explicit TcpPublisher(const std::string& address) {
    connection_.open(target_of(address));
    const int yes = 1;
    ::setsockopt(connection_.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    constexpr timeval kPatience{30, 0};  // a server that takes nothing for so long has failed
    ::setsockopt(connection_.fd(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  }

  void flush() override {
    if (waiting_.empty()) return;
    connection_.write(waiting_);
    waiting_.clear();
  }

  void add(const std::string& bytes) {
    constexpr std::size_t kMuch = 16 * 1024;
    waiting_ += bytes;
    if (waiting_.size() >= kMuch) flush();
  }

  /// Reads until `text` has come `times` times.
  void expect(std::string_view text, std::size_t times = 1) {
    std::array<char, 16 * 1024> bytes{};
    for (;;) {
      for (auto at = answer_.find(text); at != std::string::npos && times > 0; at = answer_.find(text)) {
        answer_.erase(0, at + text.size());
        --times;
      }
      if (times == 0) return;
      const auto got = connection_.read(bytes.data(), bytes.size());
      if (got <= 0) throw std::runtime_error("the server closed the publisher's connection: " + answer_);
      answer_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  Connection connection_;
  std::string waiting_;
  std::string answer_;
};

class FloorPublisher : public TcpPublisher {
 public:
  explicit FloorPublisher(const std::string& address) : TcpPublisher(address) {}
  void publish(const Load& load) override {
    add(std::to_string(load.count) + " " + std::to_string(load.size) + " " + std::to_string(load.per_second) +
        " " + std::to_string(load.topics) + "\n");
    flush();
    expect("done\n");
  }

 protected:
  void send(std::size_t, const std::string&) override {}  // the floor makes its own events
};

class NatsPublisher : public TcpPublisher {
 public:
  explicit NatsPublisher(const std::string& address) : TcpPublisher(address) {
    add("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
    finish();
  }

 protected:
  void send(std::size_t topic, const std::string& event) override {
    const auto text = envelope_of(event);
    add("PUB " + topic_name(topic) + " " + std::to_string(text.size()) + "\r\n" + text + "\r\n");
  }
  void finish() override {
    add("PING\r\n");
    flush();
    expect("PONG\r\n");
  }
};

class NchanPublisher : public TcpPublisher {
 public:
  explicit NchanPublisher(const std::string& address) : TcpPublisher(address) {}

 protected:
  void send(std::size_t topic, const std::string& event) override {
    const auto text = envelope_of(event);
    add("POST /pub/" + topic_name(topic) +
        " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
    // nginx takes requests in a row, but not without end.
    if (++unanswered_ >= kInFlight) finish();
  }
  void finish() override {
    flush();
    expect("HTTP/1.1 20", unanswered_);
    unanswered_ = 0;
  }

 private:
  static constexpr std::size_t kInFlight = 50;
  std::size_t unanswered_ = 0;
};

class MosquittoPublisher : public TcpPublisher {
 public:
  explicit MosquittoPublisher(const std::string& address) : TcpPublisher(address) {
    add(mqtt::connect("bench-publisher"));
    flush();
    expect(mqtt::kConnected);
  }

 protected:
  void send(std::size_t topic, const std::string& event) override {
    add(mqtt::publish(topic_name(topic), envelope_of(event)));
  }
};

}  // namespace

std::unique_ptr<Publisher> floor_publisher(const std::string& address) {
  return std::make_unique<FloorPublisher>(address);
}

std::unique_ptr<Publisher> nats_publisher(const std::string& address) {
  return std::make_unique<NatsPublisher>(address);
}

std::unique_ptr<Publisher> nchan_publisher(const std::string& address) {
  return std::make_unique<NchanPublisher>(address);
}

std::unique_ptr<Publisher> mosquitto_publisher(const std::string& address) {
  return std::make_unique<MosquittoPublisher>(address);
}

}  // namespace trestle::bench
