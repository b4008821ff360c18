#include "bridge/config/bound_to.h"

#include <algorithm>

#include "bridge/config/address.h"
#include "bridge/config/ip_address.h"

namespace trestle {

BoundTo::Host BoundTo::host_of(const std::string& text, bool v6_takes_v4) {
  if (text == "*") return {"0.0.0.0", true, false, true};
  const auto ip = IpAddress::parse(text);
  if (!ip) {  // the name of an interface, or an IPv6 address with one behind it
    const bool v6 = text.find(':') != std::string::npos;
    return {text, !v6, v6, false};
  }
  const auto name = ip->text();
  if (name == "::") return {name, v6_takes_v4, true, true};
  return {name, ip->is_v4(), !ip->is_v4(), name == "0.0.0.0"};
}

bool BoundTo::Host::clashes(const Host& other) const {
  const bool meet = (v4 && other.v4) || (v6 && other.v6);
  return meet && (all || other.all || name == other.name);
}

// A listener for IPv6 is for IPv6 only; ZeroMQ's sockets are for IPv4 too.
BoundTo BoundTo::listener(const ListenSettings& listener) {
  BoundTo bound;
  const bool v6 = listener.address.find(':') != std::string::npos;
  bound.text_ = (v6 ? "[" + listener.address + "]" : listener.address) + ":" + std::to_string(listener.port);
  if (listener.address == "localhost") {
    bound.hosts_ = {host_of("127.0.0.1", false), host_of("::1", false)};
  } else {
    bound.hosts_ = {host_of(listener.address, false)};
  }
  if (listener.port != 0) bound.port_ = std::to_string(listener.port);
  return bound;
}

BoundTo BoundTo::zmq(const std::string& address) {
  BoundTo bound;
  bound.text_ = address;
  const auto tcp = split_zmq_tcp(address);
  if (!tcp) return bound;
  bound.hosts_ = {host_of(tcp->host, true)};
  if (tcp->port != "*" && tcp->port != "0") bound.port_ = tcp->port;
  return bound;
}

bool BoundTo::clashes(const BoundTo& other) const {
  if (is_tcp() != other.is_tcp()) return false;
  if (!is_tcp()) return text_ == other.text_;
  if (port_.empty() || port_ != other.port_) return false;
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const Host& mine) {
    return std::any_of(other.hosts_.begin(), other.hosts_.end(),
                       [&](const Host& theirs) { return mine.clashes(theirs); });
  });
}

}  // namespace trestle
