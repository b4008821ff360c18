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

Replay Replay::restart(Subscription wanted, Offset after, Offset told) {
  Replay replay(std::move(wanted), {});
  replay.log_after_ = after;
  replay.marked_up_to_ = after;
  replay.told_ = told;
  return replay;
}

Replay Replay::in_band(Subscription wanted, Subscription held, Offset log_after, Offset latest_after,
                       Offset told) {
  Replay replay(std::move(wanted), std::move(held));
  replay.position_ = latest_after;
  replay.log_after_ = log_after;
  replay.marked_up_to_ = std::numeric_limits<Offset>::max();
  replay.told_ = told;
  return replay;
}

void Replay::remove(const Pattern& pattern) {
  wanted_.remove(pattern);
  held_.remove(pattern);
}

Replay::Piece Replay::next(const History& history, const Snapshot& snapshot, Offset head,
                           std::size_t budget) {
  if (history.missing_up_to(wanted_.beyond(held_)) > std::max(log_position(), told_)) {
    log_after_ = log_position();
    marked_up_to_ = std::max(marked_up_to_, log_after_);
    position_ = 0;
    told_ = head;
    return {nullptr, false, log_after_};
  }
  auto chunk = std::make_shared<Chunk>();
  History::Walk log(history, log_position());
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
    const EventPtr& event = *next;
    if (wants(*event)) append_event(*chunk, wanted_.form, event, marked(*event));
    position_ = event->offset;
    if (from_latest) {
      ++latest;
    } else {
      log.advance();
    }
  }
  return {chunk->bytes.empty() ? nullptr : ChunkPtr(std::move(chunk)), done, std::nullopt};
}

}  // namespace trestle
