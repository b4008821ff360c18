#pragma once
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "bridge/config/ip_address.h"

namespace trestle {

/// Counts the connections of the whole process against the limits, in total and by address block.
///
/// Two lines are drawn. The limits themselves are for WebSocket sessions: one too many is told so, with a
/// close code. Connections of every kind, so also those that have not said yet what they want, may be
/// somewhat more; beyond that nobody is listened to any more. The last places are kept for this machine's own
/// health checks.
///
/// Any thread; a lock is fine here, off the path of events.
class Admission {
 public:
  enum class Answer { welcome, full, too_many_of_theirs };
  /// Whom a connection counts for: an address block; nothing for a trusted proxy that has not said yet whom
  /// it brings, which counts in the total alone.
  using Whom = std::optional<IpAddress>;

  /// 0 means no limit.
  Admission(std::size_t total, std::size_t per_address);

  /// One more connection; if it is welcome it counts until leave(). `own`: it is from this machine.
  Answer arrive(const Whom& whom, bool own);
  void leave(const Whom& whom);
  /// A connection turns out to be somebody else's. If too many of theirs are here it still counts for `from`.
  Answer move(const Whom& from, const Whom& to);

  /// A connection that is here becomes a WebSocket session; true if that is within the limits, and then it
  /// counts until close().
  bool open(const Whom& whom);
  void close(const Whom& whom);

  /// How many connections may be here where so many sessions may.
  static std::size_t connections_for(std::size_t sessions);

 private:
  struct Count {
    std::size_t connections = 0;
    std::size_t sessions = 0;
  };
  bool is_too_many_of_theirs(const IpAddress& whom) const;

  const std::size_t total_;
  const std::size_t per_address_;
  std::mutex mutex_;
  Count all_;  // guarded by mutex_
  std::unordered_map<IpAddress, Count, IpAddress::Hash>
      by_address_;  // guarded by mutex_; none is without a connection
};

}  // namespace trestle
