#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/types.h"

namespace trestle {

/// Encoded WebSocket frames, made once and shared by every session that gets them. Immutable; any thread.
struct Chunk {
  /// Where an event's frame ends in `bytes`.
  struct Mark {
    Offset offset;
    std::size_t end;
  };
  std::string bytes;
  std::vector<Mark> marks;  ///< offsets and ends rise; empty for replies and notices
  bool frames = true;       ///< false for HTTP, which can't be cut at a frame's end
};
using ChunkPtr = std::shared_ptr<const Chunk>;

/// What waits for one client, in order. The one way to the socket: whatever is written, passes here or finds
/// it empty.
///
/// Owner: the session.  Thread: its shard's.  Bound: kept by the session, which asks bytes() before it adds.
class Outbox {
 public:
  /// A view of bytes to write next, valid until the outbox changes.
  using Slice = std::string_view;

  /// Appends a chunk of which the first `from` bytes have been written already; whole events among them count
  /// as written. A chunk with nothing left to write is not kept.
  void push(ChunkPtr chunk, std::size_t from = 0);
  /// A pong frame: at most one waits, a newer one takes the place of one of which nothing is written yet.
  void push_pong(ChunkPtr chunk);
  /// The next slices, at most `max`.
  std::size_t front(Slice* slices, std::size_t max) const;
  /// `count` bytes were written.
  void consume(std::size_t count);
  /// Drops everything but the rest of a frame that is partly written, so that what follows stays a valid
  /// stream.
  void drop_unwritten();

  bool empty() const { return items_.empty(); }
  std::size_t bytes() const { return bytes_; }
  /// The newest event of which every byte was written; 0 if none.
  Offset written() const { return written_; }
  /// The client has everything up to `offset` already.
  void start_at(Offset offset) { written_ = offset; }
  /// Notes events that were written straight to the socket, past the empty outbox.
  void note_written(const Chunk& chunk) {
    if (!chunk.marks.empty()) written_ = chunk.marks.back().offset;
  }

 private:
  struct Item {
    ChunkPtr chunk;
    std::size_t from;
    std::size_t to;
    bool pong;
  };
  void note_marks(const Item& item);

  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  Offset written_ = 0;
};

}  // namespace trestle
