#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/event.h"
#include "bridge/core/snapshot.h"

namespace trestle {

/// How far one life of a producer is in the stream: everything up to `have` is, or was given up; what lies
/// between that and `known` is missed.
struct ProducerMark {
  /// Journals hold these numbers.
  enum class State {
    current = 0,     ///< the epoch of the last hello
    superseded = 1,  ///< an older one, which can still be told from a new one
    forgotten = 2,   ///< not worth keeping any longer
    left = 3         ///< the epoch of the last hello, and it said bye
  };
  std::string id;
  std::uint64_t epoch = 0;
  Seq have = 0;
  Seq known = 0;
  State state = State::current;
};

/// What a stream kept from before this start.
struct Past {
  std::vector<EventPtr> events;  ///< offsets rising
  std::vector<LostRange> lost;   ///< `after` rises
  std::vector<ProducerMark> producers;
  Offset gone_up_to = 0;  ///< events up to here are gone, whatever the policies say
  /// Per policy of the table, for History::restore_missing().
  std::vector<Offset> missing{};
  std::vector<Ending> endings{};  ///< for Snapshot::restore()
};

/// The one stream behind the spine. Nobody else may assume that offsets are dense, or assigned here.
///
/// Owner: main.  Thread: the spine's, but restore(), which comes before it.
class Stream {
 public:
  virtual ~Stream() = default;

  /// The life of the numbering. It changes when events that a client may have seen may be missing after a
  /// restart.
  virtual EpochPtr epoch() const = 0;
  /// The newest offset; 0 before the first event.
  virtual Offset head() const = 0;
  /// Empty while all is well; else why nothing is kept at the moment. Delivery goes on, in a new epoch; acks
  /// must not.
  virtual const std::string& trouble() const = 0;

  /// Hands out what was kept; once.
  virtual Past restore() = 0;
  /// Gives every event its offset, rising, and every loss its place between them; keeps the losses, of the
  /// events what their policies say, and the marks that changed. When this returns the batch may be
  /// delivered.
  virtual void append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
                      const std::vector<ProducerMark>& marks) = 0;
  /// Lets time pass: trimming in small steps, trying again after trouble. Call about every 50 ms.
  virtual void tick(Now now) = 0;

 protected:
  /// Gives losses their places among events that have their offsets. `head`: behind them all.
  static void place(std::vector<LostRange>& lost, const std::vector<std::shared_ptr<Event>>& events,
                    Offset head) {
    for (auto& range : lost)
      range.after = range.before < events.size() ? events[range.before]->offset - 1 : head;
  }
};

}  // namespace trestle
