#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/core/event.h"
#include "bridge/core/joined.h"
#include "bridge/core/pressure.h"
#include "proto/types.h"

namespace trestle {

/// Encoded WebSocket frames, made once and shared by every session that gets them. Immutable; any thread.
/// (What an outbox joins is a chunk of its own, which it fills in later.)
struct Chunk {
  /// A frame that moves the client's cursor: an event, or a notice that says so.
  struct Mark {
    Offset offset;
    std::size_t begin;  ///< of its frame in `bytes`
    std::size_t end;
    EventPtr event;  ///< nullptr for a notice
  };
  std::string bytes;
  std::vector<Mark> marks;  ///< offsets and places rise; empty for replies
  bool frames = true;       ///< false for HTTP, which can't be cut at a frame's end
  bool live = false;        ///< it is the notice that a replay is complete
  bool replayed = false;    ///< some of its frames are events that move no cursor, and so have no mark
};
using ChunkPtr = std::shared_ptr<const Chunk>;

/// What waits for one client, in order. The one way to the socket: whatever is written, passes here or finds
/// it empty.
///
/// Usually a list of shared chunks. From squeeze() to relax() it is squeezed: of each `latest` topic only the
/// newest waiting event stays, at its own place in the order, and events of a `merge` policy join the one
/// directly before them. So offsets still rise, and a cursor stays true. The last event may still grow that
/// way: its frame is made when it is about to be written, or when another event took its place at the end.
///
/// Owner: the session.  Thread: its shard's.  Bound: kept by the session, which asks footprint().
class Outbox {
 public:
  /// A view of bytes to write next, valid until the outbox changes.
  using Slice = std::string_view;

  /// Appends a chunk of which the first `from` bytes have been written already; whole events among them count
  /// as written. A chunk with nothing left to write is not kept.
  void push(ChunkPtr chunk, std::size_t from = 0);
  /// A pong frame: at most one waits, a newer one takes the place of one of which nothing is written yet.
  void push_pong(ChunkPtr chunk);
  /// The next slices, at most `max`. Makes the frame of what has joined, if it is among them.
  std::size_t front(Slice* slices, std::size_t max) const;
  /// `count` bytes were written.
  void consume(std::size_t count);
  /// Drops everything but the rest of a frame that is partly written, so that what follows stays a valid
  /// stream. Returns the offset up to which the client has everything once that rest is written.
  Offset drop_unwritten();

  /// Squeezes what waits; what is pushed from now on is squeezed too. `merges`: the client can be told (by
  /// its cursor) that two events came as one.
  void squeeze(Pressure& pressure, bool merges);
  bool squeezed() const { return squeezed_ != nullptr; }
  /// Ends it.
  void relax();

  /// True if an event waits that `asked` is true for. What has no mark is passed over: see Chunk::replayed.
  bool holds(const std::function<bool(const Event&)>& asked) const;
  /// The frame of a notice that names what was dropped.
  using Tell = std::function<ChunkPtr(const Dropped&)>;
  /// Drops the waiting events that nothing keeps and whose policy allows it (`under_pressure: drop`). A
  /// notice takes the place of the first, so that the client knows before it gets anything newer; as long as
  /// nothing of it is written it names also what is dropped later.
  void drop_unkept(Pressure& pressure, const Tell& tell);
  /// Drops the waiting events that `refused` says are not for this client any more.
  void withdraw(const std::function<bool(const Event&)>& refused);
  /// True if events may wait that have no mark.
  bool holds_replayed() const;
  /// What drop_events() leaves to be done.
  struct Unread {
    Offset after = 0;       ///< the client has everything up to here once what stays is written
    std::size_t lives = 0;  ///< `live` notices that left, too: they are true again once the rest is read
    Dropped untold;         ///< named by a notice that left
  };
  /// Drops the waiting events, and what comes behind the first of them and depends on it: notices that move
  /// the cursor, or name what was dropped. Replies and other gaps stay.
  Unread drop_events(Pressure& pressure);

  bool empty() const { return items_.empty(); }
  /// Bytes left of the frame that is next: that one is never too much. 0 if nothing waits.
  std::size_t first_frame() const;
  /// Bytes to write.
  std::size_t bytes() const { return bytes_; }
  /// Bytes to write and what keeping them costs.
  std::size_t footprint() const { return bytes_ + items_.size() * kItemCost; }
  /// The newest event of which every byte was written; 0 if none.
  Offset written() const { return written_; }
  /// The client has everything up to `offset` already.
  void start_at(Offset offset) { written_ = offset; }
  /// Notes events that were written straight to the socket, past the empty outbox.
  void note_written(const Chunk& chunk) {
    if (!chunk.marks.empty()) written_ = chunk.marks.back().offset;
  }

 private:
  static constexpr std::size_t kItemCost = 128;  // a list's node and an index entry

  // A run of whole frames of one chunk, but for the first item, of which the beginning may be written.
  struct Item {
    ChunkPtr chunk;
    std::size_t from;
    std::size_t to;
    const Chunk::Mark* latest = nullptr;  // while squeezed: it is this one event, and in the index
    bool pong = false;
    std::unique_ptr<Dropped> names = nullptr;  // of a notice: what was dropped
  };
  using Items = std::list<Item>;
  struct Squeezed {
    Pressure& pressure;
    bool merges;
    std::unordered_map<std::string_view, Items::iterator> latest;  // by topic; the keys live in the events
    std::optional<Joined> tail;                                    // what the last event is, if it merges
    std::shared_ptr<Chunk> joined;  // its frame, once it has joined others; without bytes until it is made
  };
  template <typename Keep, typename Left>
  void filter(Items::iterator first, Keep keep, Left left);
  static bool holds_event(const Item& item, const std::function<bool(const Event&)>& asked);
  Items::iterator waiting_notice(Items::iterator first);
  void append_run(const ChunkPtr& chunk, std::size_t from, std::size_t to);
  void append_squeezed(Item& item);
  void append_event(const ChunkPtr& chunk, const Chunk::Mark& mark);
  void replace_latest(const ChunkPtr& chunk, const Chunk::Mark& mark);
  bool merge_into_tail(const Chunk::Mark& mark);
  void start_tail(Pressure::MergeablePtr first);
  void grow_tail(const Chunk::Mark& before);
  void cut_tail(std::size_t to);
  const Chunk::Mark* tail_event() const;
  void forget_latest(Item& item);
  void note_marks(const Item& item);
  Offset written_or_begun() const;

  Items items_;
  std::size_t bytes_ = 0;
  Offset written_ = 0;
  std::unique_ptr<Squeezed> squeezed_;
};

}  // namespace trestle
