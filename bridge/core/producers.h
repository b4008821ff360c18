#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/producer_seq.h"
#include "bridge/core/rejections.h"
#include "bridge/core/stream.h"
#include "bridge/core/waiting_events.h"
#include "proto/control.h"
#include "proto/stamp.h"

namespace trestle {

enum class Presence { online, lost, gone };
std::string_view name_of(Presence presence);

/// A message for the control socket.
struct ToProducer {
  std::string peer;  ///< routing id
  FromBridge message;
};

struct ProducerLimits {
  std::size_t producers = 10'000;
  std::size_t waiting_events = 10'000;  ///< of producers that have not said hello
  std::size_t waiting_bytes = 16 * 1024 * 1024;
  std::size_t answers = 4'096;  ///< refusals and presences between two commits
  std::chrono::milliseconds hello_wait{2'000};
  std::chrono::milliseconds lost_after{5'000};      ///< silence
  std::chrono::milliseconds give_up_after{60'000};  ///< silence with a hole
  std::chrono::milliseconds ack_interval{5};
  RepairLimits repair;
};

/// The sequenced producers: who is there, what each has sent, what to ask each for, what to ack.
///
/// State is per (id, epoch). The epoch of the last hello counts, whatever its number; one that comes while
/// another still beats is refused. The last few epochs before are remembered, over restarts too: should one
/// of them come back, it goes on where it was.
///
/// Thread: the spine's.  Bound: ProducerLimits. Events refused here are counted in `rejections`.
class Producers {
 public:
  /// What /api/status shows of one.
  struct Info {
    std::string id;
    Presence presence;
    std::uint64_t epoch;
    Seq seq;
    std::uint64_t events;
    std::uint64_t lost;
    std::optional<std::chrono::milliseconds> silent;  ///< nothing if it was not heard of since the start
  };
  /// A presence that changed, to be told as $sys.producer.<id>.
  struct Change {
    std::string id;
    Presence presence;
    std::uint64_t epoch;
    Seq seq;
    Micros since;
  };

  Producers(ProducerLimits limits, Rejections& rejections);

  /// A sequenced event that the intake found good.
  void offer(std::string_view id, const Stamp& stamp, Event&& event, Now now, Ready& ready);
  /// A control message that decoded; `peer` is its routing id.
  void control(std::string_view peer, const FromProducer& message, Now now, Ready& ready);
  /// Answers a hello or beat of somebody who may not go by that id; nothing else changes.
  void forbid(std::string_view peer, const FromProducer& message);
  /// Timeouts: silence, hellos that never came, replays to repeat. Call at least every 50 ms.
  void tick(Now now, Ready& ready);

  /// How far each producer that moved since the last call is, for the stream to keep with the events.
  std::vector<ProducerMark> take_marks();
  /// Called once what was ready is in the stream: acks (unless nothing is kept), welcomes and replay requests
  /// that are due.
  void after_commit(Now now, bool kept = true);
  /// A message that could not be sent. `unreachable`: nobody has that routing id any more; else its queue is
  /// full.
  void undelivered(const ToProducer& message, bool unreachable);
  /// What an earlier start of the bridge knew. Until they say hello those producers count as lost, but for
  /// who had said bye.
  void restore(const std::vector<ProducerMark>& marks, Now now);

  std::vector<ToProducer> take_messages() { return std::exchange(messages_, {}); }
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  /// True if an ack is held back for ack_interval: call after_commit() again soon.
  bool acks_pending() const { return !touched_.empty(); }
  /// False if commits are so far behind that control messages had better wait outside.
  bool has_room() const { return messages_.size() + changes_.size() < limits_.answers; }
  /// Events dropped from full holds so far; their producers are asked for them again.
  std::uint64_t dropped_from_hold() const { return held_.dropped; }
  std::vector<Info> list(Now now) const;

 private:
  // A life that was superseded: its stragglers can be told from newcomers, and if it comes back after all it
  // goes on where it was.
  struct OldEpoch {
    std::uint64_t epoch;
    Seq have;
    LostRanges lost{};  // it has not heard of
  };
  struct Producer {
    std::string id;
    std::uint64_t epoch;
    ProducerSeq seq;
    std::string peer{};  // empty: nobody to talk to
    Presence presence = Presence::online;
    std::chrono::steady_clock::time_point seen{};
    std::chrono::steady_clock::time_point acked_at{};
    Seq acked = 0;
    SeqRange marked{};  // have and known, as the stream has them
    std::optional<ProducerMark::State> marked_as{};
    std::uint64_t events = 0;
    std::uint64_t lost = 0;
    bool touched = false;
    bool welcome_due = false;
    bool told = true;                    // its presence; not yet for one that an earlier start knew
    bool heard = true;                   // since the start
    std::vector<OldEpoch> old_epochs{};  // the last few
  };
  using ProducerMap = std::map<std::string, Producer, std::less<>>;
  struct ReadySize {
    explicit ReadySize(const Ready& ready)
        : events(ready.events.size()),
          lost(ready.lost.size()),
          lost_to(ready.lost.empty() ? 0 : ready.lost.back().to) {}
    std::size_t events;
    std::size_t lost;
    Seq lost_to;  // the last range may grow
  };
  struct Away {
    std::chrono::steady_clock::time_point seen;
    std::string id;
  };

  void take(Producer& producer, Seq seq, Event&& event, Now now, Ready& ready);
  void reject_sequenced(Reject reason, std::string_view id, const Stamp& stamp);
  void wait_for_hello(std::string_view id, const Stamp& stamp, Event&& event, Now now);
  void release_waiting(Producer& producer, Now now, Ready& ready);
  void hello(std::string_view peer, const FromProducer& message, Now now, Ready& ready);
  Producer* start(const FromProducer& message, Now now, Ready& ready);
  void from_known(Producer& producer, std::string_view peer, const FromProducer& message, Now now,
                  Ready& ready);
  void refuse(std::string_view peer, const FromProducer& message, std::string reason);
  void answer_refused(std::string_view peer, const FromProducer& message, std::string reason);
  void welcome(Producer& producer, Now now, bool kept);
  static void saw(Producer& producer, Now now);
  void set_presence(Producer& producer, Presence presence, Now now);
  void keep_up(Producer& producer, const std::string& peer, const FromProducer& message, Now now);
  bool make_room(Now now, Ready& ready);
  void find_away();
  void forget(ProducerMap::iterator producer, Now now, Ready& ready);
  static OldEpoch take_old(Producer& producer, std::uint64_t epoch);
  std::vector<OldEpoch> supersede(Producer& former);
  void restore_old(const ProducerMark& mark);
  bool ack(Producer& producer, Now now);
  void send_ack(Producer& producer, Now now);
  void ask_for_replay(Producer& producer, Now now);
  void touch(Producer& producer);
  void untouch(const Producer& producer);
  void restore_current(const ProducerMark& mark, Now now);
  void mark(const Producer& producer, std::uint64_t epoch, Seq have, ProducerMark::State state);
  void settle(Producer& producer, Now now, Ready& ready);
  static void count_new(Producer& producer, const Ready& ready, const ReadySize& before);

  const ProducerLimits limits_;
  Rejections& rejections_;
  HeldTotal held_;
  ProducerMap producers_;
  std::vector<Producer*> touched_;   // may need an ack or a replay
  std::vector<ProducerMark> marks_;  // of epochs that are no longer current, since take_marks()
  std::vector<Away> away_;           // who may be forgotten to make room, the first to go at the end
  bool all_here_ = false;            // nobody was away when make_room() looked, and nobody left since
  WaitingEvents waiting_;
  std::vector<ToProducer> messages_;
  std::vector<Change> changes_;
};

}  // namespace trestle
