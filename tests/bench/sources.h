#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/bridge.h"

namespace trestle::bench {

/// Several trestle::Producer, each with a thread that publishes as fast as its buffer takes it.
class Sources {
 public:
  Sources(const Bridge& bridge, std::size_t count);

  /// Publishes `events` of 200 bytes altogether; returns when all are acked. Throws std::runtime_error if
  /// one is lost, or not acked within two minutes.
  void publish(std::size_t events);
  /// One event of 200 bytes for each of that many `latest` topics, from the first producer; the same way.
  void publish_topics(std::size_t topics);

 private:
  std::vector<std::unique_ptr<Producer>> producers_;
};

/// An event of type `bench` and of `size` bytes, with one number in it.
std::string bench_event(const std::string& name, std::uint64_t number, std::size_t size = 200);

}  // namespace trestle::bench
