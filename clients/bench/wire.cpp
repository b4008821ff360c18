#include "clients/bench/wire.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace trestle::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

[[noreturn]] void fail_tls(const std::string& what) {
  const auto code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  throw std::runtime_error(what + ": " + (reason == nullptr ? "the server ended it" : reason));
}

/// One for all connections with the same certificates; they all have.
SSL_CTX* context(const std::string& ca_file) {
  static const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> made(SSL_CTX_new(TLS_client_method()),
                                                                      SSL_CTX_free);
  static const bool loaded = ca_file.empty()
                                 ? SSL_CTX_set_default_verify_paths(made.get()) == 1
                                 : SSL_CTX_load_verify_locations(made.get(), ca_file.c_str(), nullptr) == 1;
  if (!loaded) fail_tls("cannot use the certificates of " + ca_file);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  return made.get();
}

int connect_one(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket (ulimit -n?)");
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

}  // namespace

struct Connection::Tls {
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
};

Connection::Connection() = default;

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(tls_, other.tls_);
  return *this;
}

bool Connection::try_open(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
  if (code != 0) throw std::runtime_error(target.host + ": " + ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  for (const auto* one = found; one != nullptr && fd_ < 0; one = one->ai_next) fd_ = connect_one(*one);
  if (fd_ < 0 && errno != ECONNREFUSED) fail("connect to " + target.host);
  if (fd_ >= 0 && target.secure) start_tls(target);
  return fd_ >= 0;
}

void Connection::open(const Target& target) {
  if (!try_open(target)) {
    throw std::runtime_error("nobody listens at " + target.host + " port " + std::to_string(target.port));
  }
}

void Connection::start_tls(const Target& target) {
  tls_ = std::make_unique<Tls>();
  tls_->ssl.reset(SSL_new(context(target.ca_file)));
  auto* ssl = tls_->ssl.get();
  SSL_set1_host(ssl, target.host.c_str());
  SSL_set_tlsext_host_name(ssl, target.host.c_str());
  SSL_set_fd(ssl, fd_);
  if (SSL_connect(ssl) == 1) return;
  if (const long why = SSL_get_verify_result(ssl); why != X509_V_OK) {
    throw std::runtime_error("the certificate of " + target.host +
                             " is not accepted: " + X509_verify_cert_error_string(why));
  }
  fail_tls("TLS with " + target.host);
}

void Connection::request_upgrade(const Target& target) {
  write("GET " + target.path + " HTTP/1.1\r\nHost: " + target.host +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        target.headers + "\r\n");
}

void Connection::upgrade(const Target& target) {
  request_upgrade(target);
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;  // one at a time: what follows the header belongs to the frames
    read_exactly(&byte, 1);
    answer += byte;
  }
  if (answer.compare(0, 12, "HTTP/1.1 101") == 0) return;
  const int status = answer.size() > 9 ? std::atoi(answer.c_str() + 9) : 0;
  throw Refusal(status, "the server refused the WebSocket: " + answer.substr(0, answer.find("\r\n")));
}

void Connection::do_not_block() { ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK); }

long Connection::read(char* data, std::size_t size) {
  if (tls_) {
    const int got = SSL_read(tls_->ssl.get(), data, static_cast<int>(size));
    if (got > 0) return got;
    const int why = SSL_get_error(tls_->ssl.get(), got);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return -1;
    ERR_clear_error();
    return 0;
  }
  const auto got = ::recv(fd_, data, size, 0);
  if (got >= 0) return got;
  return errno == EAGAIN || errno == EINTR ? -1 : 0;
}

void Connection::read_exactly(char* data, std::size_t size) {
  while (size > 0) {
    const auto got = read(data, size);
    if (got == 0) throw std::runtime_error("the server closed the connection during the handshake");
    if (got < 0) throw std::runtime_error("the server does not answer");
    data += got;
    size -= static_cast<std::size_t>(got);
  }
}

void Connection::write(std::string_view data) {
  const auto sent = tls_ ? SSL_write(tls_->ssl.get(), data.data(), static_cast<int>(data.size()))
                         : ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(data.size())) throw std::runtime_error("the server takes no more bytes");
}

int http_status(const Target& target) {
  Connection connection;
  if (!connection.try_open(target)) return 0;
  connection.write("GET " + target.path + " HTTP/1.1\r\nHost: " + target.host + "\r\n\r\n");
  std::array<char, 4096> answer{};
  const auto got = connection.read(answer.data(), answer.size() - 1);
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

Opcode opcode_of(std::string_view header) { return static_cast<Opcode>(header.front() & 0xf); }

std::string client_frame(Opcode opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | static_cast<int>(opcode)));
  const auto size = payload.size();
  if (size < 126) {
    frame += static_cast<char>(0x80 | size);
  } else {
    frame += {static_cast<char>(0x80 | 126), static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  }
  frame.append(4, '\0');
  return frame.append(payload);
}

}  // namespace trestle::bench
