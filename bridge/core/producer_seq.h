#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

#include "bridge/core/event.h"
#include "bridge/core/lost_ranges.h"
#include "proto/reject.h"

namespace trestle {

/// Bounds and times of repair (design, section 3).
struct RepairLimits {
  std::size_t hold_events = 10'000;
  std::size_t hold_bytes = 16 * 1024 * 1024;
  std::size_t held_cost = 64 * 1024 * 1024;   ///< of all producers together, see HeldTotal
  Seq run_ahead = 10'000'000;                 ///< how far a seq may be ahead of what was seen
  Seq chunk = 1'000;                          ///< most that one replay asks for
  std::chrono::milliseconds beat_grace{200};  ///< a beat can overtake the events it speaks of
  std::chrono::milliseconds retry{1'000};     ///< without progress a replay is asked for again
};

/// What all producers hold together, so that ten thousand of them can't fill the memory with a little each.
struct HeldTotal {
  static constexpr std::size_t kEventCost = 256;  ///< about what an event takes beyond its payload
  std::size_t cost = 0;                           ///< bytes: payloads, and kEventCost each
  std::uint64_t dropped = 0;                      ///< events dropped from full holds so far, to be repaired
};

/// Puts the events of one life of one producer in order: releases what follows on, holds what comes after a
/// hole, says which hole to ask for, and gives up only what it is told to.
///
/// Thread: the spine's.  Bound: RepairLimits; when the hold is full, its own or that of all, its newest
/// events are dropped, to be asked for again.
class ProducerSeq {
 public:
  /// Everything up to `have` is in the stream, or given up; up to `known` (if that is more) is known to
  /// exist. `held`, that of all producers, outlives it; give_up_all() before this one is destroyed.
  ProducerSeq(std::string producer, Seq have, RepairLimits limits, HeldTotal& held, Seq known = 0);

  /// Takes an event; what became ready is appended to `ready`. One without a topic stands for an event that
  /// was refused: it would be refused again, so it is lost when its turn comes. Reject: seq_backwards or
  /// seq_range, else none.
  Reject offer(Seq seq, Event&& event, Now now, Ready& ready);
  /// The producer says that its replay buffer holds [first, last]: what lies before is no_longer_held().
  /// Reject: seq_range.
  Reject holds(Seq first, Seq last, Now now, Ready& ready);
  /// The producer can't give what lies up to `to` again. A hole before an event that is here is lost at once;
  /// what comes after all that is here may still be on its way, and is lost when nothing has come for
  /// `beat_grace`.
  void no_longer_held(Seq to, Now now, Ready& ready);
  /// The same, but no further than what is known to exist.
  void no_longer_held_known(Seq to, Now now, Ready& ready) {
    no_longer_held(std::min(to, known_last_), now, ready);
  }
  /// Gives up what is no longer held and did not come in time. To be called on every tick.
  void settle(Now now, Ready& ready);
  /// What is missing up to `to` will not come: it becomes lost, what is held is released.
  void give_up(Seq to, Now now, Ready& ready);
  /// give_up() for everything known to be missing.
  void give_up_all(Now now, Ready& ready) { give_up(known_last_, now, ready); }

  /// The range to ask for now, if any. Asks for one chunk at a time and again when nothing came for `retry`.
  std::optional<SeqRange> replay_due(Now now);

  /// The producer has just (re)connected: what is missing at the tail may be on its way, as after a beat.
  void expect_tail(Now now) { tail_noticed_at_ = now.steady; }

  Seq have() const { return have_; }
  Seq known_last() const { return known_last_; }
  bool has_hole() const { return have_ < known_last_; }
  /// What was given up, to be told to the producer.
  LostRanges& lost() { return lost_; }

 private:
  void release(Event&& event, Now now, Ready& ready);
  void release_held(Now now, Ready& ready);
  void hold(Seq seq, Event&& event);
  void unhold(std::map<Seq, Event>::iterator event, std::size_t size);
  bool is_hold_full(std::size_t size) const;
  void lose(Seq to, Now now, Ready& ready);
  void name_lost(SeqRange range, Ready& ready);
  bool is_tail_on_its_way(Now now) const;
  void give_up_before_held(Now now, Ready& ready);
  Seq hole_end() const { return held_.empty() ? known_last_ : held_.begin()->first - 1; }

  const std::string producer_;
  const RepairLimits limits_;
  Seq have_;
  Seq known_last_;  // newest seq we know to exist
  Seq newest_ = 0;  // newest seq that came, kept or not
  std::map<Seq, Event> held_;
  std::size_t held_bytes_ = 0;
  HeldTotal& total_;
  LostRanges lost_;
  Seq gone_to_ = 0;  // what is missing up to here can't be asked for
  Seq asked_to_ = 0;
  std::chrono::steady_clock::time_point progress_at_{};      // have_ moved, or a replay was asked for
  std::chrono::steady_clock::time_point tail_noticed_at_{};  // a beat told of a newer seq
  std::chrono::steady_clock::time_point gone_noticed_at_{};  // gone_to_ moved
};

}  // namespace trestle
