#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/core/event.h"
#include "proto/event.h"

namespace trestle {

/// What pressure did to the events of one policy, counted per event and session.
struct PressureCounters {
  std::uint64_t replaced = 0;  ///< `latest`: a newer one of its topic waits at the tail instead
  std::uint64_t merged = 0;    ///< joined with the event directly before it
  std::uint64_t dropped = 0;   ///< left out, named by a gap
  std::uint64_t reread = 0;    ///< left an outbox, to come again from the stream
};

/// What was left out of one session's outbox, until a gap names it.
struct Dropped {
  Offset from = 0;
  Offset to = 0;
  std::uint64_t count = 0;
  std::string topic;  ///< empty if they were of several

  void add(const Event& event);
  void add(const Dropped& others);
};

/// What the outboxes of a shard share: where events are joined, and what became of them.
///
/// Thread: the shard's.  Bound: kMaxKnown events, kMaxKnownBytes of payload and one event more.
class Pressure {
 public:
  /// What mergeable() remembers: more than a group gets in one chunk, so that its sessions share the work.
  static constexpr std::size_t kMaxKnown = 1024;
  static constexpr std::size_t kMaxKnownBytes = 1024 * 1024;

  /// `policies` outlives it.
  Pressure(const PolicyTable& policies, EventLimits limits);

  /// An event that the next one may join.
  struct Mergeable {
    EventPtr event;
    std::size_t from = 0;  ///< the text at the policy's `merge` pointer, without its quotes: from here
    std::size_t to = 0;    ///< to here in the payload
    std::vector<std::string_view> merge_by;  ///< as written, in the payload; empty: not there

    std::string_view text() const { return std::string_view(event->payload).substr(from, to - from); }
  };
  using MergeablePtr = std::shared_ptr<const Mergeable>;
  /// nullptr unless the event's policy merges and `merge` points to a string; in doubt (a member on the way
  /// twice) nullptr. An event is parsed once, however many sessions ask about it one after the other.
  MergeablePtr mergeable(const EventPtr& event);

  PressureCounters& counters(const Event& event);
  struct Line {
    std::string match;
    PressureCounters counters;
  };
  /// The policies whose events pressure did something to.
  std::vector<Line> report() const;

 private:
  struct Rule {
    std::string match;
    PressureCounters counters;
    std::optional<EventChecker> checker;  // of merging policies: finds `merge`, then `merge_by`
  };
  struct Known {
    EventPtr event;  // held, so that no other gets its address
    MergeablePtr mergeable;
  };
  Rule& rule_of(const Event& event);

  const Policy* first_policy_;
  std::vector<Rule> rules_;  // in the table's order, and one for topics that no policy matches
  std::unordered_map<const Event*, Known> known_;  // emptied when full
  std::size_t known_bytes_ = 0;                    // of payload
};

}  // namespace trestle
