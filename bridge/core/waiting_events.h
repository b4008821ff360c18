#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "bridge/core/event.h"
#include "proto/stamp.h"

namespace trestle {

/// Events of producers that have not said hello, in the order they came, by producer and epoch.
///
/// Thread: the spine's.  Bound: the limits given, over all producers; who comes when it is full is not taken.
class WaitingEvents {
 public:
  struct Waiting {
    Stamp stamp;
    Event event;
    std::chrono::steady_clock::time_point since;
  };

  WaitingEvents(std::size_t max_events, std::size_t max_bytes)
      : max_events_(max_events), max_bytes_(max_bytes) {}

  /// False if there is no room.
  bool add(std::string_view id, const Stamp& stamp, Event&& event, Now now);
  /// Hands out what waits for that producer.
  std::deque<Waiting> take(const std::string& id, std::uint64_t epoch);
  /// Drops what has waited for `limit`; each is told to `dropped`.
  void expire(Now now, std::chrono::milliseconds limit,
              const std::function<void(std::string_view id, const Stamp& stamp)>& dropped);

 private:
  void removed(const Waiting& waiting);

  const std::size_t max_events_;
  const std::size_t max_bytes_;
  std::map<std::pair<std::string, std::uint64_t>, std::deque<Waiting>> waiting_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace trestle
