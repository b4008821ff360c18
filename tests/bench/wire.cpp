#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace trestle::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

void send_all(int fd, const std::string& text) {
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail("send");
}

}  // namespace

int try_connect(const Target& target) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket (ulimit -n?)");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  ::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  if (why != ECONNREFUSED) fail("connect");
  return -1;
}

int connect_to(const Target& target) {
  const int fd = try_connect(target);
  if (fd < 0) fail("connect to port " + std::to_string(target.port));
  return fd;
}

void request_upgrade(int fd, const Target& target) {
  send_all(fd, "GET " + target.path + " HTTP/1.1\r\nHost: " + target.host +
                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

void upgrade(int fd, const Target& target) {
  request_upgrade(fd, target);
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;  // one at a time: what follows the header belongs to the frames
    if (::recv(fd, &byte, 1, 0) != 1) throw std::runtime_error("the server closed during the handshake");
    answer += byte;
  }
  if (answer.compare(0, 12, "HTTP/1.1 101") != 0) throw std::runtime_error("no upgrade: " + answer);
}

int http_status(const Target& target) {
  const int fd = try_connect(target);
  if (fd < 0) return 0;
  send_all(fd, "GET " + target.path + " HTTP/1.1\r\nHost: " + target.host + "\r\n\r\n");
  std::array<char, 4096> answer{};
  const auto got = ::recv(fd, answer.data(), answer.size() - 1, 0);
  ::close(fd);
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (got <= 0 || std::strncmp(answer.data(), kStart.data(), kStart.size()) != 0) return 0;
  return std::atoi(answer.data() + kStart.size());
}

std::size_t header_size(std::string_view header) {
  if (header.size() < 2) return 0;
  const auto length = static_cast<unsigned char>(header[1]) & 0x7f;
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

std::uint64_t payload_size(std::string_view header) {
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(header[i])}; };
  const auto end = header_size(header);
  if (end == 2) return byte(1) & 0x7f;
  std::uint64_t size = 0;
  for (std::size_t i = 2; i < end; ++i) size = size << 8 | byte(i);
  return size;
}

bool is_text(std::string_view header) { return (header.front() & 0xf) == 1; }

}  // namespace trestle::bench
