// The floor: what the kernel alone takes for a delivery. Upgrades every client with a fixed answer, and sends
// every event with one send() per client; there is no other logic. It publishes by itself: a connection to
// its control port says "COUNT SIZE RATE TOPICS" (RATE 0: as fast as it goes; event n goes to the
// clients of topic n % TOPICS, client i being of topic i % TOPICS) and gets "done" when all is sent.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "clients/bench/pace.h"
#include "clients/bench/stamp.h"

namespace trestle::bench {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 1024) != 0) {
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  }
  return fd;
}

void send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const auto sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // a client that left costs nothing more
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string frame_of(std::size_t topic, std::uint64_t time, std::size_t size) {
  const auto event = stamped_event("load-" + std::to_string(topic), time, size);
  const auto text = "{\"success\":true,\"data\":" + event + "}";
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
  std::string frame{'\x81'};
  if (text.size() < 126) {
    frame += byte(text.size());
  } else if (text.size() < 65'536) {
    frame += {126, byte(text.size() >> 8), byte(text.size())};
  } else {
    frame += 127;
    for (int shift = 56; shift >= 0; shift -= 8) frame += byte(text.size() >> shift);
  }
  return frame + text;
}

class Floor {
 public:
  Floor(int port, int control)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(listen_on(port)), control_(listen_on(control)) {
    watch(listener_);
    watch(control_);
  }

  void run() {
    std::array<epoll_event, 64> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) serve(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void serve(int fd) {
    if (fd == listener_ || fd == control_) {
      const int peer = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      const int yes = 1;
      ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      watch(peer);
      if (fd == control_) commander_ = peer;
      return;
    }
    std::array<char, 4096> bytes{};
    const auto got = ::recv(fd, bytes.data(), bytes.size() - 1, 0);
    if (got <= 0) {
      if (fd == commander_) commander_ = -1;
      ::close(fd);
    } else if (fd == commander_) {
      obey(bytes.data());
    } else {
      clients_.push_back(fd);
      send_all(fd, kAnswer);
    }
  }

  void obey(const char* command) {
    std::size_t count = 0, size = 0, rate = 0, topics = 1;
    if (std::sscanf(command, "%zu %zu %zu %zu", &count, &size, &rate, &topics) != 4 || topics == 0) return;
    const Pace pace(rate);
    for (std::size_t i = 0; i < count; ++i) publish(frame_of(i % topics, pace.wait_for(i), size), i, topics);
    send_all(commander_, "done\n");
  }

  void publish(const std::string& frame, std::size_t number, std::size_t topics) {
    for (auto i = number % topics; i < clients_.size(); i += topics) send_all(clients_[i], frame);
  }

  int epoll_;
  int listener_;
  int control_;
  int commander_ = -1;
  std::vector<int> clients_;
};

}  // namespace
}  // namespace trestle::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: trestle-floor PORT CONTROL_PORT\n";
    return 2;
  }
  try {
    trestle::bench::Floor(std::atoi(argv[1]), std::atoi(argv[2])).run();
  } catch (const std::exception& error) {
    std::cerr << "trestle-floor: " << error.what() << "\n";
    return 1;
  }
}
