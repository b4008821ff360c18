#pragma once
#include <string>
#include <vector>

#include "bridge/config/settings.h"

namespace trestle {

/// What a socket is bound to, as far as its (valid) address tells: enough to see that two of one
/// configuration get in each other's way.
class BoundTo {
 public:
  static BoundTo listener(const ListenSettings& listener);
  static BoundTo zmq(const std::string& address);

  /// True if not both can be bound at once on any machine. The name of a network interface has addresses that
  /// only the machine knows: it gets in the way of itself, and of all IPv4 addresses together.
  bool clashes(const BoundTo& other) const;
  bool is_tcp() const { return !hosts_.empty(); }
  /// As people write it: localhost:3001, tcp://127.0.0.1:5556.
  const std::string& text() const { return text_; }

 private:
  /// One address, or all addresses of the families that it has.
  struct Host {
    std::string name;
    bool v4 = false;
    bool v6 = false;
    bool all = false;

    bool clashes(const Host& other) const;
  };

  static Host host_of(const std::string& text, bool v6_takes_v4);

  std::string text_;
  std::vector<Host> hosts_;  // of TCP
  std::string port_;         // of TCP; empty: any that is free
};

}  // namespace trestle
