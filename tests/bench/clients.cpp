#include "tests/bench/clients.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace trestle::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
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
      if (is_text(client.header)) ++client.frames;
      client.header.clear();
    }
    const auto step = std::min<std::uint64_t>(client.skip, size);
    client.skip -= step;
    data += step;
    size -= step;
  }
}

}  // namespace trestle::bench
