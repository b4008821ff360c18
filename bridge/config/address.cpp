#include "bridge/config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "bridge/config/text.h"
#include "bridge/config/values.h"

namespace trestle {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kAbstract = "ipc://@";  // Linux: a name that lives in no folder
constexpr std::size_t kLongestIpcPath = 107;       // sun_path, less its end
constexpr std::uint64_t kHighestPort = 65535;

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool is_ip4(const std::string& text) {
  in_addr ignored{};
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1;
}

bool is_ip6(const std::string& text) {
  in6_addr ignored{};
  const auto without_zone = text.substr(0, text.find('%'));
  return inet_pton(AF_INET6, without_zone.c_str(), &ignored) == 1;
}

/// The IPv4 address that an IPv6 one such as `::ffff:127.0.0.1` stands for, if it does.
std::optional<std::string> mapped_ip4(const std::string& text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &address) != 1) return std::nullopt;
  if (!IN6_IS_ADDR_V4MAPPED(&address)) return std::nullopt;
  char plain[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address.s6_addr[12], plain, sizeof plain);
  return plain;
}

bool is_loopback_ip6(const std::string& text) {
  if (const auto plain = mapped_ip4(text)) return starts_with(*plain, "127.");
  in6_addr address{};
  return inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &address) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&address);
}

/// `tcp://HOST:PORT` without its scheme, cut at the last colon. Brackets around an IPv6 address are left out.
HostPort split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {std::string(text), {}};
  auto host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {std::string(host), std::string(text.substr(colon + 1))};
}

bool is_host_byte(char c) {
  const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return word || c == '-' || c == '.' || c == '_';
}

bool is_zmq_host(const std::string& host, ZmqSide side) {
  if (host == "*") return side == ZmqSide::bind;
  if (host.find(':') != std::string::npos) return is_ip6(host);
  return !host.empty() && std::all_of(host.begin(), host.end(), is_host_byte);
}

Result<std::string> parse_tcp(const std::string& text, ZmqSide side) {
  const auto [host, port] = split_host_port(std::string_view(text).substr(kTcp.size()));
  if (!is_zmq_host(host, side)) {
    return Error{in_quotes(text) +
                 " has no usable host: write one as in \"tcp://127.0.0.1:5556\" or \"tcp://[::1]:5556\""};
  }
  const bool open_port = side == ZmqSide::bind && (port == "*" || port == "0");
  if (!open_port && !parse_count(port, {1, kHighestPort})) {
    return Error{in_quotes(text) + " has no port from 1 to 65535: write one as in \"tcp://127.0.0.1:5556\""};
  }
  return text;
}

Result<std::string> parse_ipc(const std::string& text) {
  const auto path = std::string_view(text).substr(kIpc.size());
  const bool rooted = path.size() > 1 && (path.front() == '/' || path.front() == '@');
  if (!rooted)
    return Error{in_quotes(text) + " needs an absolute path, such as \"ipc:///run/trestle/events\""};
  if (path.size() > kLongestIpcPath) {
    return Error{in_quotes(text) + " has a path over " + std::to_string(kLongestIpcPath) + " bytes"};
  }
  return text;
}

}  // namespace

Result<std::string> parse_listen_address(const std::string& text) {
  // A listener for IPv6 is for IPv6 only, so the system would refuse to bind it there.
  if (const auto plain = mapped_ip4(text)) {
    return Error{in_quotes(text) + " is an IPv4 address written as an IPv6 one: write " + *plain};
  }
  if (text == "localhost" || is_ip4(text) || is_ip6(text)) return text;
  return Error{
      in_quotes(text) +
      " is not an address: write localhost, an IP address such as 192.0.2.7 or ::1, or 0.0.0.0 or :: for "
      "all of this machine's"};
}

bool is_loopback(const std::string& address) {
  if (address == "localhost") return true;
  return is_ip4(address) ? starts_with(address, "127.") : is_loopback_ip6(address);
}

Result<std::string> parse_zmq_address(const std::string& text, ZmqSide side) {
  if (starts_with(text, kTcp)) return parse_tcp(text, side);
  if (starts_with(text, kIpc)) return parse_ipc(text);
  return Error{in_quotes(text) +
               " is not a ZeroMQ address for other processes: write \"tcp://127.0.0.1:5556\" or "
               "\"ipc:///run/trestle/events\""};
}

std::optional<HostPort> split_zmq_tcp(const std::string& address) {
  if (!starts_with(address, kTcp)) return std::nullopt;
  return split_host_port(std::string_view(address).substr(kTcp.size()));
}

std::optional<std::string> danger_of_zmq_address(const std::string& address) {
  if (starts_with(address, kAbstract)) {
    return "is an abstract name: no file, so no mode keeps any user of this machine from publishing there, "
           "or "
           "from taking the name first; write a path such as ipc:///run/trestle/events";
  }
  const auto tcp = split_zmq_tcp(address);
  if (!tcp || is_loopback(tcp->host)) return std::nullopt;
  return "can be reached from other machines, and anybody there could publish; use 127.0.0.1 or ipc://";
}

}  // namespace trestle
