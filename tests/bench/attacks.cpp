#include "tests/bench/attacks.h"

#include <sys/socket.h>

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <zmq.hpp>

namespace trestle::bench {
namespace {

constexpr timeval kPatience{2, 0};
constexpr int kNarrow = 4096;  // receive buffer of who never reads

std::string random_bytes(std::size_t size) {
  thread_local std::minstd_rand dice{42};
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(dice() >> 8);
  return bytes;
}

Connection connect(const Target& target) {
  Connection connection;
  connection.open(target);
  ::setsockopt(connection.fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(connection.fd(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return connection;
}

Target with_query(Target target, const std::string& query) {
  target.path += "?" + query;
  return target;
}

/// Keeps connections for a while, so that what was sent is looked at before they are closed; reads nothing.
class Held {
 public:
  explicit Held(std::size_t most) : most_(most) {}
  Connection& add(Connection connection) {
    connections_.push_back(std::move(connection));
    if (connections_.size() > most_) connections_.pop_front();
    return connections_.back();
  }
  std::size_t size() const { return connections_.size(); }
  Connection& operator[](std::size_t i) { return connections_[i]; }

 private:
  const std::size_t most_;
  std::deque<Connection> connections_;
};

std::shared_ptr<Held> hold(std::size_t most) { return std::make_shared<Held>(most); }

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

// --- without a token

Attack wrong_tokens(const Victim& victim) {
  return {"wrong tokens", 300, [victim](std::uint64_t n) {
            const auto guess = "guess-" + std::to_string(n);
            auto connection = connect(victim.clients);
            if (n % 2 == 0) {
              connection.request_upgrade(with_query(victim.clients, "token=" + guess));
            } else {
              connection.write("GET /api/status HTTP/1.1\r\nAuthorization: Bearer " + guess + "\r\n\r\n");
            }
            std::array<char, 4096> answer{};
            connection.read(answer.data(), answer.size());
          }};
}

// Each of those held sends one more byte of its request now and then, so that none looks idle.
Attack half_open(const Victim& victim) {
  constexpr std::size_t kDripping = 10;
  return {"half-open handshakes", 50, [victim, held = hold(500)](std::uint64_t n) {
            held->add(connect(victim.clients)).write("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
            for (std::size_t i = 0; i < kDripping; ++i) {
              const char drop = 'x';
              ::send((*held)[(n * kDripping + i) % held->size()].fd(), &drop, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            }
          }};
}

Attack garbage(const Victim& victim) {
  return {"garbage instead of HTTP", 50, [victim, held = hold(100)](std::uint64_t n) {
            auto& connection = held->add(connect(victim.clients));
            switch (n % 4) {
              case 0: return connection.write(random_bytes(4'000));
              case 1: return connection.write("GET /" + std::string(20'000, 'a'));
              case 2: return connection.write("\x16\x03\x01\x02" + random_bytes(500));
              default: return connection.write(std::string(2'000, '\n'));
            }
          }};
}

/// A frame's header alone, announcing `size` bytes.
std::string announced(std::uint64_t size) {
  std::string header("\x81\xff", 2);
  for (int shift = 56; shift >= 0; shift -= 8) header += static_cast<char>(size >> shift);
  return header + std::string(4, '\0');
}

/// A WebSocket without a token: it may say who it is within auth.timeout.
Connection& join(Held& held, const Target& target) {
  auto& connection = held.add(connect(target));
  connection.upgrade(target);
  return connection;
}

Attack oversize(const Victim& victim) {
  constexpr std::uint64_t kTooBig = std::uint64_t{1} << 40;
  return {"oversize and broken frames", 50, [victim, held = hold(50)](std::uint64_t n) {
            auto& connection = join(*held, victim.clients);
            switch (n % 3) {
              case 0: return connection.write(announced(kTooBig) + std::string(4'000, 'x'));
              case 1: return connection.write(announced(100'000) + std::string(100'000, 'x'));
              default: return connection.write(random_bytes(1'000));
            }
          }};
}

Attack pings(const Victim& victim) {
  constexpr std::size_t kPings = 500;
  std::string flood;
  for (std::size_t i = 0; i < kPings; ++i) flood += client_frame(Opcode::ping, std::string(100, 'p'));
  return {"ping floods, of " + std::to_string(kPings), 20,
          [victim, flood, held = hold(20)](std::uint64_t) { join(*held, victim.clients).write(flood); }};
}

// --- with a token

Attack subscriptions(const Victim& victim) {
  constexpr std::size_t kRequests = 200;
  return {
      "subscription floods, of " + std::to_string(kRequests), 10, [victim, held = hold(10)](std::uint64_t n) {
        auto& connection = join(*held, with_query(victim.clients, "topics=&meta=1&token=" + victim.token));
        std::string flood;
        for (std::size_t i = 0; i < kRequests; ++i) {
          const auto topic = "\"t" + std::to_string(n) + "." + std::to_string(i) + ".*.x\"";
          flood += client_frame(
              Opcode::text, R"({"type":"subscribe","id":1,"since":"0","topics":[)" + topic + ",\"bench\"]}");
        }
        connection.write(flood);
      }};
}

// They ask for everything that is kept, and for all that comes.
Attack never_reading(const Victim& victim) {
  return {"clients that never read", 5, [victim, held = hold(50)](std::uint64_t) {
            const auto target = with_query(victim.clients, "since=0&token=" + victim.token);
            auto& connection = held->add(connect(target));
            ::setsockopt(connection.fd(), SOL_SOCKET, SO_RCVBUF, &kNarrow, sizeof kNarrow);
            connection.request_upgrade(target);
          }};
}

// --- from the side of the producers

Attack garbage_in_zmtp(const Victim& victim) {
  return {"garbage in ZMTP", 50, [victim](std::uint64_t n) {
            auto target = victim.clients;
            target.port = port_of(n % 2 == 0 ? victim.events.events : victim.events.control);
            auto connection = connect(target);
            // ZMTP 3.0's greeting, so that half of it gets beyond that.
            static const std::string greeting =
                "\xff" + std::string(8, '\0') + "\x7f\x03" + '\0' + "NULL" + std::string(48, '\0');
            connection.write((n % 4 < 2 ? greeting : std::string()) + random_bytes(2'000));
          }};
}

/// A socket that throws away what does not go out at once.
struct Flooder {
  Flooder(zmq::socket_type type, const std::string& address) : socket(context, type) {
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(address);
  }
  void send(const std::string& message) { socket.send(zmq::buffer(message), zmq::send_flags::dontwait); }
  void send_more(const std::string& message) {
    socket.send(zmq::buffer(message), zmq::send_flags::dontwait | zmq::send_flags::sndmore);
  }
  zmq::context_t context;
  zmq::socket_t socket;
};

Attack garbage_events(const Victim& victim) {
  auto flooder = std::make_shared<Flooder>(zmq::socket_type::pub, victim.events.events);
  return {"garbage events", 2'000, [flooder](std::uint64_t n) {
            switch (n % 4) {
              case 0: return flooder->send(random_bytes(500));
              case 1: return flooder->send(std::string(5'000, '['));
              case 2: flooder->send_more("$sys.health"); return flooder->send(R"({"type":"$sys.health"})");
              default:
                for (int i = 0; i < 5; ++i) flooder->send_more("x");
                return flooder->send(R"({"type":"beat"})");
            }
          }};
}

Attack garbage_control(const Victim& victim) {
  auto flooder = std::make_shared<Flooder>(zmq::socket_type::dealer, victim.events.control);
  return {"garbage control messages", 500, [flooder](std::uint64_t n) {
            const auto from =
                R"(,"v":1,"producer":"nobody-)" + std::to_string(n) + R"(","epoch":1,"first":1,"last":)";
            switch (n % 4) {
              case 0: return flooder->send(R"({"type":"hello","acked":0)" + from + "0}");
              case 1: return flooder->send(R"({"type":"beat")" + from + "9007199254740991}");
              default: return flooder->send(random_bytes(300));
            }
          }};
}

}  // namespace

std::vector<Attack> all_attacks(const Victim& victim) {
  return {wrong_tokens(victim),   half_open(victim),      garbage(victim),       oversize(victim),
          pings(victim),          subscriptions(victim),  never_reading(victim), garbage_in_zmtp(victim),
          garbage_events(victim), garbage_control(victim)};
}

}  // namespace trestle::bench
