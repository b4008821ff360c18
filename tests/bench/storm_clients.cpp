#include "tests/bench/storm_clients.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "tests/bench/reader.h"

namespace trestle::bench {
namespace {

constexpr std::size_t kBuffer = 1 << 18;
constexpr int kPatienceMs = 60'000;

}  // namespace

StormClients::StormClients(Target target, Wanted wanted)
    : target_(std::move(target)), wanted_(wanted), epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(kBuffer) {}

StormClients::~StormClients() { ::close(epoll_); }

void StormClients::run() {
  std::array<epoll_event, 256> events;
  while (live_ < wanted_.clients) {
    open_more();
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kPatienceMs);
    if (ready == 0) throw std::runtime_error("nothing came for 60 s in the storm");
    for (int i = 0; i < ready; ++i) read(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
  }
}

void StormClients::open_more() {
  while (clients_.size() < wanted_.clients && shaking_hands_ < wanted_.at_once) {
    auto& client = clients_.emplace_back();
    client.connection.open(target_);
    client.connection.request_upgrade(target_);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &client;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.connection.fd(), &event) != 0)
      throw std::runtime_error("epoll_ctl");
    ++shaking_hands_;
  }
}

void StormClients::read(Client& client) {
  const auto got = ::recv(client.connection.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) throw std::runtime_error("the server closed a connection of the storm");
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (client.partial.empty()) {
    client.partial = bytes.substr(take(client, bytes));
  } else {
    client.partial += bytes;
    client.partial.erase(0, take(client, client.partial));
  }
  if (client.partial.empty()) client.partial.shrink_to_fit();
}

// Returns how many of the bytes were whole frames.
std::size_t StormClients::take(Client& client, std::string_view bytes) {
  std::size_t taken = client.upgraded ? 0 : take_handshake(client, bytes);
  while (client.upgraded) {
    const auto frame = bytes.substr(taken);
    const auto header = header_size(frame);
    if (header == 0 || frame.size() < header || frame.size() < header + payload_size(frame)) break;
    const auto size = static_cast<std::size_t>(payload_size(frame));
    if (opcode_of(frame) == Opcode::text) take_text(client, frame.substr(header, size));
    taken += header + size;
  }
  return taken;
}

std::size_t StormClients::take_handshake(Client& client, std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (bytes.substr(0, 12) != "HTTP/1.1 101") throw std::runtime_error("no upgrade in the storm");
  client.upgraded = true;
  --shaking_hands_;
  return end + 4;
}

void StormClients::take_text(Client& client, std::string_view text) {
  constexpr std::string_view kLive = R"({"success":true,"data":{"type":"live")";
  constexpr std::string_view kWelcome = R"({"success":true,"data":{"type":"welcome")";
  if (text.substr(0, kWelcome.size()) == kWelcome || client.live) return;
  if (text.substr(0, kLive.size()) == kLive) {
    if (client.events != wanted_.events) {
      throw std::runtime_error("a client was given " + std::to_string(client.events) + " events, not " +
                               std::to_string(wanted_.events));
    }
    client.live = true;
    ++live_;
    return;
  }
  const auto offset = number_in(text, "offset");
  if (offset <= client.offset) throw std::runtime_error("offsets of the storm do not rise");
  client.offset = offset;
  ++client.events;
}

}  // namespace trestle::bench
