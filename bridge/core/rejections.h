#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/event.h"
#include "proto/reject.h"

namespace trestle {

/// Counts what was refused, by reason, and says when a reason is due to be reported: the first time at once,
/// then at most once a second, with what has come together since.
///
/// Thread: the spine's.
class Rejections {
 public:
  struct Report {
    Reject reason = Reject::none;
    std::uint64_t count = 0;  ///< since the last report of this reason
    std::uint64_t total = 0;
    std::string detail;  ///< of the first of them: at most 200 bytes, printable
  };

  /// `detail` helps the person who looks for the culprit: a producer id, a topic.
  void add(Reject reason, std::string_view detail);
  /// Reports that are due now; call about ten times a second.
  std::vector<Report> due(Now now);
  std::uint64_t total(Reject reason) const { return entries_[static_cast<std::size_t>(reason)].total; }

 private:
  struct Entry {
    std::uint64_t total = 0;
    std::uint64_t unreported = 0;
    std::string detail;
    bool ever_reported = false;
    std::chrono::steady_clock::time_point reported_at{};
  };
  std::array<Entry, kRejectCount> entries_{};
};

}  // namespace trestle
