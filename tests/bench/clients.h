#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/wire.h"

namespace trestle::bench {

/// Many WebSocket clients in one thread: epoll, no library, as little work per frame as can be, so that the
/// server is what is measured. Throws std::runtime_error when the server does not do what it should.
class Clients {
 public:
  /// Connects and upgrades `count` clients, one after the other.
  Clients(const Target& target, std::size_t count);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Reads until every client has got `frames` text frames since the last call, or the deadline has passed.
  /// Returns the number of frames all clients got together.
  std::uint64_t read_until(std::uint64_t frames, std::chrono::steady_clock::time_point deadline);

 private:
  struct Client {
    int fd = -1;
    std::uint64_t frames = 0;
    std::uint64_t skip = 0;  // bytes of the current payload still to come
    std::string header;      // of the frame at hand, as far as it has come
  };

  void read(Client& client, std::uint64_t wanted);
  void take(Client& client, const char* data, std::size_t size);

  int epoll_;
  std::vector<Client> clients_;
  std::vector<char> buffer_;
  std::size_t done_ = 0;
};

}  // namespace trestle::bench
