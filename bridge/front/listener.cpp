#include "bridge/front/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/ip/v6_only.hpp>
#include <cerrno>

#include "bridge/front/byte_stream.h"
#include "bridge/front/http.h"
#include "bridge/front/shard.h"
#include "bridge/front/visitor.h"
#include "bridge/log/log.h"

namespace trestle {
namespace {

using asio::ip::tcp;
using V6Only = asio::ip::v6_only;

constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::minutes kQuiet{1};  // between two log lines about a pause
constexpr int kBacklog = 4096;             // the kernel cuts it to net.core.somaxconn

std::string text_of(const tcp::endpoint& where) {
  return (where.address().is_v6() ? "[" + where.address().to_string() + "]" : where.address().to_string()) +
         ":" + std::to_string(where.port());
}

IpAddress ip_of(const asio::ip::address& address) {
  if (address.is_v6()) return IpAddress(address.to_v6().to_bytes());
  return IpAddress::v4(address.to_v4().to_bytes().data());
}

// How many descriptors clients leave to producers and the journal: without any, ZeroMQ would spin on a
// producer that it can't accept.
rlim_t descriptors_kept_back(rlim_t limit) { return std::min<rlim_t>(256, limit / 8); }

// The kernel gives the lowest free number: if that is high, few are left.
bool few_descriptors_left(int any_fd) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  const int next = ::fcntl(any_fd, F_DUPFD_CLOEXEC, 0);
  if (next < 0) return true;
  ::close(next);
  return static_cast<rlim_t>(next) >= limit.rlim_cur - descriptors_kept_back(limit.rlim_cur);
}

Error cannot_listen(const ListenSettings& settings, const tcp::endpoint& where,
                    const asio::error_code& error) {
  const auto line = [&](const std::string& place, const std::string& why) {
    return Error{place + "cannot listen on " + text_of(where) + ": " + why};
  };
  if (error == asio::error::address_in_use) {
    return line(settings.port_place,
                "the port is in use, perhaps by another trestled (set listen.port, or stop the other one)");
  }
  if (error == asio::error::access_denied) {
    return line(settings.port_place,
                "permission denied; ports below 1024 are for root (set another listen.port, or start as root "
                "with user, whom trestled goes on as)");
  }
  if (error.value() == EADDRNOTAVAIL) {
    return line(settings.address_place,
                "this machine does not have that address; 0.0.0.0 stands for all it has, :: for all of IPv6 "
                "(set another listen.address)");
  }
  return line(settings.address_place, error.message() + " (set another listen.address)");
}

}  // namespace

Listener::Listener(asio::io_context& io, FrontContext& context, std::shared_ptr<const ListenerInfo> info,
                   const TlsWatch* tls, NextShard next_shard)
    : acceptor_(io),
      pause_(io),
      context_(context),
      info_(std::move(info)),
      tls_(tls),
      next_shard_(std::move(next_shard)) {}

// SO_REUSEADDR lets a restarted bridge have its port back at once; on Linux it does not let two listen.
// SO_REUSEPORT, which would, is not set, and that also refuses a port that another process holds with it.
Result<tcp::endpoint> Listener::open(const tcp::endpoint& where, const ListenSettings& settings) {
  asio::error_code error;
  acceptor_.open(where.protocol(), error);
  if (!error && where.address().is_v6()) acceptor_.set_option(V6Only(true), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(where, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (error) return cannot_listen(settings, where, error);
  return acceptor_.local_endpoint();
}

void Listener::start() { accept(); }

void Listener::stop() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::accept() {
  if (few_descriptors_left(acceptor_.native_handle())) return pause();
  paused_ = false;
  accept_one();
}

void Listener::accept_one() {
  auto& shard = next_shard_();
  acceptor_.async_accept(shard.io(), [this, &shard](const asio::error_code& error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (error == asio::error::no_descriptors || error == std::errc::too_many_files_open_in_system ||
        error == asio::error::no_buffer_space || error == asio::error::no_memory) {
      return pause();
    }
    if (!error) hand_over(std::move(socket), shard);
    accept();
  });
}

void Listener::hand_over(tcp::socket socket, Shard& shard) {
  asio::error_code gone;
  const auto peer = socket.remote_endpoint(gone);
  if (gone) return;  // it has been reset already
  auto visitor = std::make_unique<Visitor>(context_, info_, ip_of(peer.address()));
  const bool stranger = info_->proxy_protocol && !visitor->is_proxy();
  const auto answer = stranger ? Admission::Answer::too_many_of_theirs : visitor->arrive();
  if (answer != Admission::Answer::welcome) return turn_away(socket, answer);
  const int fd = socket.native_handle();
  auto stream = tls_ != nullptr ? tls_->current().accept(fd) : plain_stream(fd);
  shard.adopt(std::move(socket), std::move(stream), info_, std::move(visitor));
}

// At once and here: whoever is far over the limits shall not cost a shard anything.
void Listener::turn_away(tcp::socket& socket, Admission::Answer why) {
  ++turned_away_;
  const auto now = std::chrono::steady_clock::now();
  if (now >= away_quiet_until_) {
    away_quiet_until_ = now + kQuiet;
    asio::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    log::warning("a connection was turned away, with others perhaps: see turned_away in /api/status",
                 {{"address", gone ? "unknown" : peer.address().to_string()},
                  {"reason", why == Admission::Answer::full ? "limits.connections"
                             : info_->proxy_protocol        ? "not a trusted proxy"
                                                            : "limits.per_address"}});
  }
  if (tls_ != nullptr || info_->proxy_protocol) return;
  static const auto full = encode(busy(503, kComeBackLater), false, {});
  static const auto too_many = encode(busy(429, kComeBackLater), false, {});
  const auto& bytes = why == Admission::Answer::full ? full : too_many;
  // What is left unread would have the kernel reset the connection, and the answer lost.
  std::array<char, 4096> unread;
  const int fd = socket.native_handle();
  [[maybe_unused]] const auto got = ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT);
  [[maybe_unused]] const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Listener::pause() {
  if (!paused_) ++pauses_;
  paused_ = true;
  const auto now = std::chrono::steady_clock::now();
  if (now >= quiet_until_) {
    quiet_until_ = now + kQuiet;
    log::warning(
        "few file descriptors left, accepting clients pauses until some are free (raise LimitNOFILE or "
        "ulimit -n)");
  }
  pause_.expires_after(kPause);
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error && acceptor_.is_open()) accept();
  });
}

Result<std::vector<asio::ip::address>> resolve_listen_address(const std::string& address) {
  if (address == "localhost") {
    return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
  }
  asio::error_code error;
  auto parsed = asio::ip::make_address(address, error);
  if (error) return Error{"listen.address: \"" + address + "\" is neither localhost nor an IP address"};
  return std::vector<asio::ip::address>{parsed};
}

}  // namespace trestle
