#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "clients/bench/swarm.h"
#include "clients/bench/wire.h"
#include "tests/bench/publisher.h"

namespace trestle::bench {

/// How a kind of server is subscribed to and published to.
struct Peer {
  /// Makes of a target with the server's port and path one that the client for this topic connects to;
  /// `only`: it must get no other topic.
  std::function<void(Target&, std::size_t topic, bool only)> aim;
  std::function<Greeting(std::size_t client, std::size_t topic)> greeting;
  std::function<std::unique_ptr<Publisher>(const std::string& address)> publisher;
};

/// By name: trestle, floor, nats, nchan, mosquitto, pushpin.
const std::map<std::string, Peer>& peers();

}  // namespace trestle::bench
