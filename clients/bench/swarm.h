#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/bench/histogram.h"
#include "clients/bench/stamp.h"
#include "clients/bench/wire.h"

namespace trestle::bench {

/// What a client says once it is connected: each first string goes out as a binary message, then the client
/// waits for one that contains the second.
using Greeting = std::vector<std::pair<std::string, std::string>>;

/// Many WebSocket clients in one thread: epoll, as little work per event as can be, so that the server is
/// what is measured. Counts the events with a time in them (see stamp.h) and how old they are. Answers pings.
/// Throws std::runtime_error when the server does not do what it should.
class Swarm {
 public:
  Swarm();
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  /// Connects one more; returns when it is upgraded and greeted.
  void add(const Target& target, const Greeting& greeting = {});
  std::size_t size() const { return clients_.size(); }

  /// The first `count` clients stop reading, for good, and are left out of every figure.
  void stop_reading(std::size_t count);

  /// Forgets all figures.
  void clear();
  /// Reads until every client that reads has got `events` since clear(), or the deadline has passed. True
  /// if all have.
  bool read_until(std::uint64_t events, std::chrono::steady_clock::time_point deadline);
  /// Reads for that long, whatever comes.
  void read_for(std::chrono::milliseconds time);

  // Of all clients together, since clear().
  std::uint64_t events() const { return ages_.count(); }
  std::uint64_t messages() const { return messages_; }  ///< text and binary ones, of whatever content
  std::uint64_t bytes() const { return bytes_; }        ///< as they came from the socket or from TLS
  const Histogram& ages() const { return ages_; }       ///< ns from the time in the event to its reading

 private:
  struct Client {
    Connection connection;
    StampFinder stamps;
    std::string header;      // of the frame at hand, as far as it has come
    std::string control;     // payload of a ping or a close, as far as it has come
    std::uint64_t skip = 0;  // bytes of the current payload still to come
    std::uint64_t events = 0;
    Opcode opcode = Opcode::text;
  };

  void wait();
  void read(Client& client);
  void take(Client& client, std::string_view data, std::uint64_t now);
  void take_payload(Client& client, std::string_view piece, std::uint64_t now);
  void end_frame(Client& client);

  int epoll_;
  std::deque<Client> clients_;  // their addresses are in the epoll set
  std::vector<char> buffer_;
  Histogram ages_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t wanted_ = 0;
  std::size_t stopped_ = 0;
  std::size_t done_ = 0;  // clients that have what is wanted
};

}  // namespace trestle::bench
