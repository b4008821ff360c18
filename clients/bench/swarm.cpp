#include "clients/bench/swarm.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr timeval kHandshakePatience{30, 0};

/// The next message's payload; blocks.
std::string receive(Connection& connection) {
  std::string header(2, '\0');
  connection.read_exactly(header.data(), 2);
  header.resize(header_size(header));
  connection.read_exactly(header.data() + 2, header.size() - 2);
  std::string payload(payload_size(header), '\0');
  connection.read_exactly(payload.data(), payload.size());
  return payload;
}

[[noreturn]] void refuse(std::string_view close) {
  if (close.size() < 2) throw Refusal(0, "the server closed a connection without a reason");
  const auto code = static_cast<unsigned char>(close[0]) << 8 | static_cast<unsigned char>(close[1]);
  throw Refusal(
      code, "the server closed a connection: " + std::to_string(code) + " " + std::string(close.substr(2)));
}

}  // namespace

Swarm::Swarm() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(1 << 18) {}

Swarm::~Swarm() { ::close(epoll_); }

void Swarm::add(const Target& target, const Greeting& greeting) {
  auto& client = clients_.emplace_back();
  auto& connection = client.connection;
  connection.open(target);
  ::setsockopt(connection.fd(), SOL_SOCKET, SO_RCVTIMEO, &kHandshakePatience, sizeof kHandshakePatience);
  connection.upgrade(target);
  for (const auto& [say, expect] : greeting) {
    if (!say.empty()) connection.write(client_frame(Opcode::binary, say));
    while (receive(connection).find(expect) == std::string::npos) continue;
  }
  connection.do_not_block();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &client;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd(), &event) != 0) {
    throw std::runtime_error(std::string("epoll_ctl: ") + std::strerror(errno));
  }
}

void Swarm::stop_reading(std::size_t count) {
  stopped_ = std::min(count, clients_.size());
  for (std::size_t i = 0; i < stopped_; ++i) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, clients_[i].connection.fd(), nullptr);
  }
}

void Swarm::clear() {
  for (auto& client : clients_) client.events = 0;
  ages_.clear();
  messages_ = 0;
  bytes_ = 0;
}

bool Swarm::read_until(std::uint64_t events, Clock::time_point deadline) {
  wanted_ = events;
  done_ = static_cast<std::size_t>(
      std::count_if(clients_.begin() + static_cast<std::ptrdiff_t>(stopped_), clients_.end(),
                    [&](const Client& client) { return client.events >= events; }));
  while (done_ < clients_.size() - stopped_ && Clock::now() < deadline) wait();
  return done_ == clients_.size() - stopped_;
}

void Swarm::read_for(std::chrono::milliseconds time) {
  const auto deadline = Clock::now() + time;
  while (Clock::now() < deadline) wait();
}

void Swarm::wait() {
  std::array<epoll_event, 256> events;
  const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20);
  for (int i = 0; i < ready; ++i) read(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
}

void Swarm::read(Client& client) {
  const auto got = client.connection.read(buffer_.data(), buffer_.size());
  if (got < 0) return;
  if (got == 0) throw std::runtime_error("the server closed a connection");
  bytes_ += static_cast<std::uint64_t>(got);
  const bool before = client.events >= wanted_;
  take(client, {buffer_.data(), static_cast<std::size_t>(got)}, now_ns());
  if (!before && client.events >= wanted_) ++done_;
}

void Swarm::take(Client& client, std::string_view data, std::uint64_t now) {
  while (!data.empty()) {
    if (client.skip == 0) {
      client.header += data.front();
      data.remove_prefix(1);
      if (header_size(client.header) != client.header.size()) continue;
      client.skip = payload_size(client.header);
      client.opcode = opcode_of(client.header);
      client.header.clear();
    }
    const auto step = std::min<std::uint64_t>(client.skip, data.size());
    take_payload(client, data.substr(0, step), now);
    data.remove_prefix(step);
    client.skip -= step;
    if (client.skip == 0) end_frame(client);
  }
}

void Swarm::take_payload(Client& client, std::string_view piece, std::uint64_t now) {
  if (client.opcode >= Opcode::close) {
    client.control += piece;
    return;
  }
  client.stamps.feed(piece, [&](std::uint64_t time) {
    ++client.events;
    ages_.add(now > time ? now - time : 0);
  });
}

void Swarm::end_frame(Client& client) {
  if (client.opcode < Opcode::close) {
    if (client.opcode != Opcode::continuation) ++messages_;
    return;
  }
  const auto payload = std::exchange(client.control, {});
  if (client.opcode == Opcode::ping) client.connection.write(client_frame(Opcode::pong, payload));
  if (client.opcode == Opcode::close) refuse(payload);
}

}  // namespace trestle::bench
