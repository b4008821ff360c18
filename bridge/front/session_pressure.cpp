#include "bridge/front/session.h"
#include "bridge/log/log.h"
#include "proto/notice.h"

// What happens to a client that reads more slowly than events come (design, section 6), in the order in which
// it happens:
//
//   half full   of each `latest` topic the newest event waits, `merge` topics are joined
//   full        events that nothing keeps are dropped, if their policy says so, and one gap names them in
//               their place; the rest is dropped and read again from the stream (catch-up)
//   neither     closed with 4408 and its cursor

namespace trestle {

// The frame that is next never counts: an empty outbox takes any one event, and what follows has the whole
// queue.
bool Session::is_over_limit() const {
  const auto waiting = outbox_.footprint();
  return waiting > queue_limit() && waiting - outbox_.first_frame() > queue_limit();
}

void Session::under_pressure() {
  outbox_.squeeze(shard_.pressure(), has_meta());
  if (is_over_limit()) make_room();
}

// Sessions without meta could not be told what they miss, so nothing is left out for them.
void Session::make_room() {
  if (phase_ != Phase::live && phase_ != Phase::waiting) return;
  if (!has_meta() || group_ == nullptr) return too_slow();
  const auto is_unkept = [this](const Event& event) { return !shard_.shelf().keeps(event); };
  if (outbox_.holds(is_unkept)) {
    outbox_.drop_unkept(shard_.pressure(),
                        [this](const Dropped& dropped) { return text_chunk(dropped_notice(dropped)); });
  }
  if (!is_over_limit()) return;
  if (unread_ || outbox_.holds(is_unkept)) return too_slow();
  catch_up();
  if (is_over_limit()) too_slow();
}

// The session stays in its group: what is kept of that comes from the stream, and what is not kept is
// counted, until the catch-up comes to its place.
void Session::catch_up() {
  ++shard_.counters().catch_ups;
  unread_ = std::make_unique<Outbox::Unread>(outbox_.drop_events(shard_.pressure()));
  // What was given as a replay has no place in the outbox by which it would be known.
  const auto after = std::max(unread_->after, replayed_up_to_);
  log::debug("session catches up", {{"session", id_}, {"offset", after}});
  replays_.push_front(Replay::resume(shard_.shelf().history(), subscription_, after, told_up_to_));
  wait_writable();
}

void Session::miss(const Chunk& chunk) {
  for (const auto& mark : chunk.marks) {
    if (shard_.shelf().keeps(*mark.event)) continue;
    ++shard_.pressure().counters(*mark.event).dropped;
    unread_->untold.add(*mark.event);
  }
}

// The client is told before it gets anything newer: if it is cut off, its cursor would have passed them
// untold.
void Session::tell_missed(const Replay::Piece& piece) {
  if (!unread_ || unread_->untold.count == 0) return;
  const auto& chunk = piece.chunk;
  const bool passes = chunk && !chunk->marks.empty() && chunk->marks.back().offset > unread_->untold.from;
  if (piece.done || passes) send_notice(dropped_notice(std::exchange(unread_->untold, {})));
}

std::string Session::dropped_notice(const Dropped& dropped) const {
  Gap gap;
  gap.reason = GapReason::dropped;
  gap.epoch = shard_.shelf().epoch();
  gap.offset = dropped.from - 1;
  gap.from = dropped.from;
  gap.to = dropped.to;
  gap.topic = dropped.topic;
  gap.count = dropped.count;
  return gap_notice(gap);
}

void Session::pressure_falls() {
  if (outbox_.squeezed() && outbox_.footprint() < queue_limit() / 4) outbox_.relax();
}

// What waits is dropped, so that the close frame, with the cursor, is next in line.
void Session::too_slow() {
  ++shard_.counters().too_slow;
  const auto offset = outbox_.drop_unwritten();
  // Before the first `live` there is nothing yet to come back to.
  const auto cursor = offset == 0 ? "" : "cursor=" + shard_.shelf().epoch() + ":" + std::to_string(offset);
  log::info("session too slow", {{"session", id_}, {"address", visitor_->address()}, {"offset", offset}});
  close(CloseCode::too_slow, cursor);
}

}  // namespace trestle
