#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>

#include "bridge/core/groups.h"
#include "bridge/core/history.h"
#include "bridge/core/snapshot.h"

namespace trestle {

/// What a session is still to be given before it is live: pulled piece by piece as its socket drains, never
/// queued whole.
///
/// A walk up the offsets over what is kept at the moment of each pull: an event that a newer one of its topic
/// replaces meanwhile is not missed, the newer one lies ahead. It has caught up when nothing kept lies ahead
/// of its position; the session then joins its group before the next batch, and nothing is lost or doubled at
/// the seam. When the retention overtakes a slow client, the piece says so and the walk begins again with the
/// full snapshot.
///
/// A client with meta is told of the losses on the way, each at its place. A loss has no offset of its own,
/// so a client whose cursor is at its place is told of it again. One that joins is told only of losses that
/// come while it catches up; in-band, of those there were when it was asked for (others come by the group, or
/// by the session's first replay).
///
/// Thread: the shard's.  Cost of a pull: kMaxWork, about a millisecond, and what one event more costs.
class Replay {
 public:
  /// An event looked at, a lane of the history or a pattern tried on it: each is one. So are kParsedPerWork
  /// bytes of a payload that is parsed because some of it is redacted, however little of it is left.
  static constexpr std::size_t kMaxWork = 25'000;
  static constexpr std::size_t kParsedPerWork = 4;

  struct Piece {
    ChunkPtr chunk;     ///< nullptr if nothing that was walked over is wanted
    bool done = false;  ///< caught up
    /// Events after this offset may have left before their turn: to be told, nothing else is in this piece.
    std::optional<Offset> lost_after;
  };

  /// The newest of every `latest` topic up to `head`, marked as replays, then what came after `head`.
  static Replay join(const History& history, Subscription wanted, Offset head);
  /// What is newer than `after`, not marked: it moves the cursor. `told` as below.
  static Replay resume(const History& history, Subscription wanted, Offset after, Offset told = 0);
  /// The full snapshot and every kept event newer than `after`, offsets rising: for a client that knows that
  /// events up to `told` may be missing. Up to `after` they are marked, or the client's cursor would move
  /// back.
  static Replay restart(const History& history, Subscription wanted, Offset after, Offset told);
  /// In-band, the newest of every `latest` topic that `wanted` matches and `held` does not, marked.
  static Replay join_in_band(Subscription wanted, Subscription held, Offset head);
  /// In-band, for what `wanted` matches and `held` does not; all marked. Events of `log` topics newer than
  /// `log_after`, and the newest of `latest` topics newer than `latest_after`. `told` as above.
  static Replay in_band(const History& history, Subscription wanted, Subscription held, Offset log_after,
                        Offset latest_after, Offset told);

  /// At most `budget` bytes, and what the last loss in it is over; at least one event if there is one.
  /// `epoch` is the stream's, `head` the newest offset there is.
  Piece next(const History& history, const Snapshot& snapshot, std::string_view epoch, Offset head,
             std::size_t budget);

  /// Of what has been given, what is not newer than this was marked as replay.
  Offset marked_up_to() const { return marked_up_to_; }
  /// The client knows that events up to here may be missing.
  Offset told() const { return told_; }
  /// The subscription to join with once done.
  const Subscription& wanted() const { return wanted_; }
  /// The session gave the pattern up meanwhile.
  void remove(const Pattern& pattern);
  /// Goes on, from where it is, with those of the topics that one of `allowed` matches too.
  void narrow(const std::vector<Pattern>& allowed);
  /// The session's rights are others from here on.
  void hide(Hidden hidden) { wanted_.hidden = hidden; }

 private:
  Replay(Subscription wanted, Subscription held) : wanted_(std::move(wanted)), held_(std::move(held)) {}
  void tell_losses(std::uint64_t from, std::uint64_t end);
  bool is_overtaken(const History& history) const;
  const LostRange* next_loss(const History& history) const;
  bool wants(const Event& event) const { return wanted_.matches(event.topic) && !held_.matches(event.topic); }
  bool marked(const Event& event) const { return event.offset <= marked_up_to_; }
  Offset log_position() const { return std::max(position_, log_after_); }

  Subscription wanted_;
  Subscription held_;
  Offset position_ = 0;         // everything up to here is through
  Offset log_after_ = 0;        // older events of `log` topics are not wanted
  Offset marked_up_to_ = 0;     // these carry meta.replay
  Offset told_ = 0;             // the client knows that events up to here may be missing
  std::uint64_t loss_ = 0;      // the next to tell of, by its number
  std::uint64_t loss_end_ = 0;  // not told here: this one and what comes after it
};

}  // namespace trestle
