#pragma once
#include <optional>
#include <vector>

#include "bridge/core/history.h"
#include "bridge/core/replay.h"
#include "bridge/core/snapshot.h"
#include "bridge/core/stream.h"
#include "proto/cursor.h"
#include "proto/notice.h"

namespace trestle {

/// What a shard has of the stream, and from it the answer to the question what a client lacks that comes with
/// a cursor or without one.
///
/// Thread: the shard's.  Bound: those of Snapshot and History.
class Shelf {
 public:
  /// `policies` outlives the shelf.
  explicit Shelf(const PolicyTable& policies) : snapshot_(policies), history_(policies) {}

  /// Takes what was kept over a restart, once, before everything else; `wall` as in expire().
  void load(const Batch& kept, const Past& past, Micros wall);
  bool is_in(const EpochPtr& epoch) const { return epoch == epoch_; }
  /// The stream has this epoch from now on: before keep() of the batch that brings it.
  void enter(const EpochPtr& epoch) { epoch_ = epoch; }
  void keep(const Batch& batch);
  /// Drops what is too old at `wall`.
  void expire(Micros wall);

  /// True if the stream can give it again, or something newer in its place, as long as it is retained.
  bool keeps(const Event& event) const {
    return event.policy->keep != Keep::none && !snapshot_.leaves_out(event);
  }

  const Snapshot& snapshot() const { return snapshot_; }
  const History& history() const { return history_; }
  /// Only once load() or enter() was called.
  const std::string& epoch() const { return *epoch_; }
  /// The newest offset: what a session that joins now has seen.
  Offset head() const { return head_; }
  /// True if the cursor is of this epoch, and not ahead of it.
  bool knows(const Cursor& cursor) const;
  /// The stream keeps nothing at the moment.
  bool is_degraded() const { return degraded_; }

  /// What brings a client up to date.
  struct Way {
    Replay replay;
    std::optional<Gap> gap;        ///< to be told first
    std::optional<Offset> resume;  ///< it has seen everything up to here
  };
  /// For who connects. `wanted.form` says whether losses are told.
  Way connect(const Subscription& wanted, const std::optional<Cursor>& since) const;
  /// For who holds `held` and asks for `wanted`, which is more.
  Way widen(Subscription wanted, const Subscription& held, const std::optional<Cursor>& since) const;
  /// What is told who comes with, or has got to, a cursor after which not everything is here.
  Gap gap_after(const Cursor& cursor) const;
  /// What everybody who is live is told in a new epoch.
  Gap new_epoch_gap() const;
  /// The next piece of a replay.
  Replay::Piece next(Replay& replay, std::size_t budget) const {
    return replay.next(history_, snapshot_, *epoch_, head_, budget);
  }

 private:
  bool covers(const Cursor& cursor, const Subscription& wanted, const std::vector<Pattern>& topics) const;
  Offset known_offset(const Cursor& cursor) const;
  std::optional<Gap> gap_before_restart(const Cursor& since) const;

  Snapshot snapshot_;
  History history_;
  Offset head_ = 0;
  EpochPtr epoch_;
  bool degraded_ = false;
};

}  // namespace trestle
