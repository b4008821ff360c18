#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "clients/bench/wire.h"
#include "trestle/producer.h"

namespace trestle::bench {

/// Who is attacked.
struct Victim {
  Target clients;        ///< path without a query
  std::string token;     ///< for attackers that have one; the others guess
  BridgeAddress events;  ///< the ZeroMQ sockets
};

/// One kind of attack, on one thread of its own.
struct Attack {
  std::string name;
  double per_second = 0;  ///< how often `once` is called, if it returns in time
  /// Attacks for the n-th time, n from 0. May throw std::runtime_error: the bridge has thrown it out.
  std::function<void(std::uint64_t n)> once;
};

/// Everything at once: what somebody without a token can do, what a client with one can, and what comes from
/// the side of the producers. At their rates they take about half a core of their own.
std::vector<Attack> all_attacks(const Victim& victim);

}  // namespace trestle::bench
