#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "bridge/core/event.h"

namespace trestle {

/// The recent past of the stream: the events of every `log` policy, as many as that policy retains. Lets a
/// session that blinked catch up without losing or repeating an event.
///
/// And the losses: who catches up over one is told of it, as those who were live had been. They are numbered
/// from 0 in the order of the stream.
///
/// Like the snapshot it depends on the events applied and the time only, so every shard keeps a copy of its
/// own (of pointers: 16 bytes an event) and joining needs no other thread.
///
/// Thread: its owner's.  Bound: what the policies retain; a policy without any limit keeps everything. Of the
/// losses kMaxLosses and kMaxLossAge, the oldest leave first; a client that may not have been told of one
/// that left is told that something is missing (`trimmed`).
class History {
 public:
  static constexpr std::size_t kMaxLosses = 10'000;
  static constexpr Micros kMaxLossAge = Micros{24} * 3600 * 1'000'000;

  /// `policies` outlives the history.
  explicit History(const PolicyTable& policies);

  /// Takes the next event of the stream; what its policy no longer retains leaves.
  void apply(const EventPtr& event);
  /// Takes the next loss.
  void apply(const LostRange& lost);
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
    /// How many it looks at for each step.
    std::size_t lanes() const { return lanes_.size(); }

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
  /// Per policy, events up to here may be missing: trimmed, or missed before this history began.
  Offset missing(std::size_t policy_index) const {
    return std::max(lanes_[policy_index].trimmed, lanes_[policy_index].missed);
  }
  /// The newest offset of the events that may be missing and that some pattern may match; 0 if there is none.
  /// A policy's events leave together, so one that left may have been of a topic that nobody wants.
  Offset missing_up_to(const std::vector<Pattern>& wanted) const;
  /// Everything up to `offset` is to count as gone, of the policies that are a log: the past of a journal
  /// that could not be kept.
  void forget_up_to(Offset offset);
  /// Per policy, events up to there may be missing although others of them are kept: what an earlier life of
  /// the bridge trimmed. Empty: nothing is.
  void restore_missing(const std::vector<Offset>& up_to);
  std::size_t size() const;

  /// The number of the oldest loss that is kept: so many have left.
  std::uint64_t first_loss() const { return first_loss_; }
  /// The number that the next loss will have.
  std::uint64_t next_loss() const { return first_loss_ + losses_.size(); }
  /// The number of the first loss whose place is `place` or behind it.
  std::uint64_t loss_from(Offset place) const;
  /// nullptr if it has left or has not come.
  const LostRange* loss(std::uint64_t number) const;
  /// True if of the losses from `place` on none has left.
  bool has_losses_from(Offset place) const { return losses_gone_ <= place; }

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
    Offset missed = 0;
  };
  static void drop_oldest(Lane& lane);
  static bool over(const Lane& lane);
  void drop_oldest_loss();

  const Policy* first_policy_;
  std::vector<Lane> lanes_;  // one a policy, in the table's order
  std::deque<LostRange> losses_;
  std::uint64_t first_loss_ = 0;
  Offset losses_gone_ = 0;  // one that has left had its place below this
};

}  // namespace trestle
