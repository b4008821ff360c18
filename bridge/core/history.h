#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "bridge/core/event.h"

namespace trestle {

/// The recent past of the stream: the events of every `log` policy, as many as that policy retains. Lets a
/// session that blinked catch up without losing or repeating an event.
///
/// Like the snapshot it depends on the events applied and the time only, so every shard keeps a copy of its
/// own (of pointers: 16 bytes an event) and joining needs no other thread.
///
/// Thread: its owner's.  Bound: what the policies retain; a policy without any limit keeps everything.
class History {
 public:
  /// `policies` outlives the history.
  explicit History(const PolicyTable& policies);

  /// Takes the next event of the stream; what its policy no longer retains leaves.
  void apply(const EventPtr& event);
  /// Drops what is too old at `wall`.
  void expire(Micros wall);

  /// A walk over the kept events above an offset, offsets rising.
  class Walk {
   public:
    /// `history` must not change while the walk is used.
    Walk(const History& history, Offset after);
    /// The event at hand; nullptr at the end.
    const EventPtr* current() const;
    void advance();

   private:
    struct Lane {
      const std::deque<EventPtr>* events;
      std::size_t next;
    };
    Offset offset_of(const Lane& lane) const { return (*lane.events)[lane.next]->offset; }
    void choose();

    std::vector<Lane> lanes_;  // with something left
    std::size_t chosen_ = 0;
  };

  /// Per policy of the table, the newest offset that has left; 0 if none has.
  Offset trimmed(std::size_t policy_index) const { return lanes_[policy_index].trimmed; }
  /// The newest offset of the events that have left and that some pattern may match; 0 if there is none. A
  /// policy's events leave together, so one that left may have been of a topic that nobody wants.
  Offset missing_up_to(const std::vector<Pattern>& wanted) const;
  /// Everything up to `offset` is to count as gone: the past of a journal that could not be kept.
  void forget_up_to(Offset offset);
  std::size_t size() const;

 private:
  friend class Walk;
  struct Lane {
    explicit Lane(const Policy& policy_of_lane);
    bool may_hold(const Pattern& wanted) const;

    const Policy* policy;
    std::optional<Pattern> bare;  // of a policy for `<type>.*`: the type alone, which it applies to as well
    std::deque<EventPtr> events;
    std::size_t bytes = 0;
    Offset trimmed = 0;
  };
  static void drop_oldest(Lane& lane);
  static bool over(const Lane& lane);

  const Policy* first_policy_;
  std::vector<Lane> lanes_;  // one a policy, in the table's order
};

}  // namespace trestle
