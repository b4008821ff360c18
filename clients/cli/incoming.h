#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/types.h"

namespace trestle::cli {

/// One message of a meta session, taken apart.
struct Incoming {
  enum class Kind { event, repeated, welcome, live, cursor, gap, drain, error, unknown };
  Kind kind = Kind::unknown;

  std::string payload;  ///< event: its own bytes on one line
  std::string topic;
  Micros time = 0;

  std::string text;                               ///< gap, error: in words
  std::chrono::milliseconds heartbeat{0};         ///< welcome
  std::chrono::milliseconds after{0}, spread{0};  ///< drain
};

/// Reads the messages of one client over all its connections and keeps its cursor by the rules of the wire:
/// live events and what `since` replays move it, a snapshot does not until `live` says that it is complete.
/// What was seen before a reconnect and comes again with a snapshot is marked as repeated.
class IncomingReader {
 public:
  Incoming read(std::string_view message);
  /// Where to resume, "<epoch>:<offset>"; empty before the first snapshot is complete.
  const std::string& cursor() const { return cursor_; }
  /// A cursor that the bridge named itself.
  void set_cursor(const std::string& cursor);

 private:
  void move(Offset offset);

  std::string epoch_;         // of what comes now
  std::string cursor_epoch_;  // of what was seen
  Offset seen_ = 0;
  std::string cursor_;
};

}  // namespace trestle::cli
