#include "tests/bench/clients.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int connect_to(const Clients::Target& target) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket (ulimit -n?)");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  ::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  return fd;
}

void upgrade(int fd, const Clients::Target& target) {
  const auto request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.host +
                       "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    fail("send");
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;  // one at a time: what follows the header belongs to the frames
    if (::recv(fd, &byte, 1, 0) != 1) throw std::runtime_error("the server closed during the handshake");
    answer += byte;
  }
  if (answer.compare(0, 12, "HTTP/1.1 101") != 0) throw std::runtime_error("no upgrade: " + answer);
}

// The size of a server frame's header, once enough of it is there to tell; 0 before.
std::size_t header_size(const std::string& header) {
  if (header.size() < 2) return 0;
  const auto length = static_cast<unsigned char>(header[1]) & 0x7f;
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

std::uint64_t payload_size(const std::string& header) {
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(header[i])}; };
  if (header.size() == 2) return byte(1) & 0x7f;
  std::uint64_t size = 0;
  for (std::size_t i = 2; i < header.size(); ++i) size = size << 8 | byte(i);
  return size;
}

}  // namespace

Clients::Clients(const Target& target, std::size_t count)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), clients_(count), buffer_(1 << 18) {
  for (auto& client : clients_) {
    client.fd = connect_to(target);
    upgrade(client.fd, target);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &client;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event) != 0) fail("epoll_ctl");
  }
}

Clients::~Clients() {
  for (const auto& client : clients_) ::close(client.fd);
  ::close(epoll_);
}

std::uint64_t Clients::read_until(std::uint64_t frames, std::chrono::steady_clock::time_point deadline) {
  for (auto& client : clients_) client.frames = 0;
  done_ = 0;
  std::array<epoll_event, 256> events;
  while (done_ < clients_.size() && std::chrono::steady_clock::now() < deadline) {
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < ready; ++i)
      read(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr), frames);
  }
  std::uint64_t total = 0;
  for (const auto& client : clients_) total += client.frames;
  return total;
}

void Clients::read(Client& client, std::uint64_t wanted) {
  const auto got = ::recv(client.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) throw std::runtime_error("the server closed a connection");
  const bool before = client.frames >= wanted;
  take(client, buffer_.data(), static_cast<std::size_t>(got));
  if (!before && client.frames >= wanted) ++done_;
}

void Clients::take(Client& client, const char* data, std::size_t size) {
  while (size > 0) {
    if (client.skip == 0) {
      client.header += *data++;
      --size;
      if (header_size(client.header) != client.header.size()) continue;
      client.skip = payload_size(client.header);
      if ((client.header[0] & 0xf) == 1) ++client.frames;
      client.header.clear();
    }
    const auto step = std::min<std::uint64_t>(client.skip, size);
    client.skip -= step;
    data += step;
    size -= step;
  }
}
