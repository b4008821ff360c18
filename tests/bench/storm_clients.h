#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "clients/bench/wire.h"

namespace trestle::bench {

/// Clients that all come at once, on one thread. Each must be given an exact number of events, offsets
/// rising where they may be compared, and then `live`.
class StormClients {
 public:
  struct Wanted {
    std::size_t clients = 0;
    std::size_t events = 0;    ///< before `live`, for each
    std::size_t at_once = 64;  ///< connecting or shaking hands at the same time
  };

  StormClients(Target target, Wanted wanted);
  ~StormClients();
  StormClients(const StormClients&) = delete;
  StormClients& operator=(const StormClients&) = delete;

  /// Connects all and returns when every one is live; they stay connected. Throws std::runtime_error if one
  /// is closed, gets anything else, or if nothing comes for 60 s.
  void run();

 private:
  struct Client {
    Connection connection;
    bool upgraded = false;
    bool live = false;
    std::size_t events = 0;
    std::uint64_t offset = 0;
    std::string partial;  // what came of a frame that is not whole
  };

  void open_more();
  void read(Client& client);
  std::size_t take(Client& client, std::string_view bytes);
  std::size_t take_handshake(Client& client, std::string_view bytes);
  void take_text(Client& client, std::string_view text);

  const Target target_;
  const Wanted wanted_;
  const int epoll_;
  std::deque<Client> clients_;
  std::vector<char> buffer_;
  std::size_t shaking_hands_ = 0;
  std::size_t live_ = 0;
};

}  // namespace trestle::bench
