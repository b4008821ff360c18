#include "bridge/core/replay.h"

#include <algorithm>
#include <limits>

namespace trestle {

Replay Replay::join(Subscription wanted, Offset head) {
  Replay replay(std::move(wanted), {});
  replay.log_after_ = head;
  replay.marked_up_to_ = head;
  return replay;
}

Replay Replay::resume(Subscription wanted, Offset after) {
  Replay replay(std::move(wanted), {});
  replay.position_ = after;
  return replay;
}

Replay Replay::restart(Subscription wanted, Offset after) {
  Replay replay(std::move(wanted), {});
  replay.log_after_ = after;
  return replay;
}

Replay Replay::in_band(Subscription wanted, Subscription held, Offset log_after, Offset latest_after) {
  Replay replay(std::move(wanted), std::move(held));
  replay.position_ = latest_after;
  replay.log_after_ = log_after;
  replay.marked_up_to_ = std::numeric_limits<Offset>::max();
  return replay;
}

void Replay::remove(const Pattern& pattern) {
  wanted_.remove(pattern);
  held_.remove(pattern);
}

Replay::Piece Replay::next(const History& history, const Snapshot& snapshot, std::size_t budget) {
  auto chunk = std::make_shared<Chunk>();
  History::Walk log(history, std::max(position_, log_after_));
  auto latest = snapshot.events().upper_bound(position_);
  std::size_t walked = 0;
  bool done = false;
  while (chunk->bytes.size() < budget && walked++ < kMaxWalked) {
    const EventPtr* next = log.current();
    const bool from_latest =
        latest != snapshot.events().end() && (next == nullptr || latest->first < (*next)->offset);
    if (from_latest) next = &latest->second;
    done = next == nullptr;
    if (done) break;
    const Event& event = **next;
    if (wants(event)) append_event(*chunk, wanted_.form, event, marked(event));
    position_ = event.offset;
    if (from_latest) {
      ++latest;
    } else {
      log.advance();
    }
  }
  return {chunk->bytes.empty() ? nullptr : ChunkPtr(std::move(chunk)), done};
}

}  // namespace trestle
