#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/producer_seq.h"
#include "bridge/core/rejections.h"
#include "bridge/core/stream.h"
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
  std::chrono::milliseconds hello_wait{2'000};
  std::chrono::milliseconds lost_after{5'000};      ///< silence
  std::chrono::milliseconds give_up_after{60'000};  ///< silence with a hole
  std::chrono::milliseconds ack_interval{5};
  RepairLimits repair;
};

/// The sequenced producers: who is there, what each has sent, what to ask each for, what to ack.
///
/// State is per (id, epoch). The epoch of the last hello counts, whatever its number; one that comes while
/// another still beats is refused.
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
    std::chrono::milliseconds silent;
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
  /// Timeouts: silence, hellos that never came, replays to repeat. Call at least every 50 ms.
  void tick(Now now, Ready& ready);

  /// How far each producer that moved since the last call is, for the stream to keep with the events.
  std::vector<ProducerMark> take_marks();
  /// Called once what was ready is in the stream: acks (unless nothing is kept) and replay requests that are
  /// due.
  void after_commit(Now now, bool kept = true);
  /// What an earlier start of the bridge knew. Those producers count as lost until they say hello.
  void restore(const std::vector<ProducerMark>& marks, Now now);

  std::vector<ToProducer> take_messages() { return std::exchange(messages_, {}); }
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  /// True if an ack is held back for ack_interval: call after_commit() again soon.
  bool acks_pending() const { return !touched_.empty(); }
  std::vector<Info> list(Now now) const;

 private:
  // A life that was superseded: its stragglers can be told from newcomers, and if it comes back after all it
  // goes on where it was.
  struct OldEpoch {
    std::uint64_t epoch;
    Seq have;
  };
  struct Producer {
    std::string id;
    std::uint64_t epoch;
    ProducerSeq seq;
    std::string peer{};
    Presence presence = Presence::online;
    std::chrono::steady_clock::time_point seen{};
    std::chrono::steady_clock::time_point acked_at{};
    Seq acked = 0;
    Seq marked = 0;
    bool is_marked = false;
    std::uint64_t events = 0;
    std::uint64_t lost = 0;
    bool touched = false;
    bool told = true;                    // its presence; not yet for one that an earlier start knew
    std::vector<OldEpoch> old_epochs{};  // the last few
  };
  struct ReadySize {
    explicit ReadySize(const Ready& ready) : events(ready.events.size()), lost(ready.lost.size()) {}
    std::size_t events;
    std::size_t lost;
  };
  struct Waiting {
    std::string id;
    Stamp stamp;
    Event event;
    std::chrono::steady_clock::time_point since;
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
  void welcome(const Producer& producer);
  void set_presence(Producer& producer, Presence presence, Now now);
  bool make_room(Now now, Ready& ready);
  bool ack(Producer& producer, Now now);
  void ask_for_replay(Producer& producer, Now now);
  void touch(Producer& producer);
  void settle(Producer& producer, Now now, Ready& ready);
  void expire_waiting(Now now);
  static void count_new(Producer& producer, const Ready& ready, const ReadySize& before);

  const ProducerLimits limits_;
  Rejections& rejections_;
  std::map<std::string, Producer, std::less<>> producers_;
  std::vector<Producer*> touched_;  // may need an ack or a replay
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<ToProducer> messages_;
  std::vector<Change> changes_;
};

}  // namespace trestle
