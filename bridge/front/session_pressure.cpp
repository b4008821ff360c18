#include "bridge/front/session.h"
#include "bridge/log/log.h"
#include "proto/notice.h"

// What happens to a client that reads more slowly than events come (design, section 6), in the order in which
// it happens:
//
//   half full   of each `latest` topic the newest event waits, `merge` topics are joined
//   full        events that nothing keeps are dropped, if their policy says so, and one gap names them;
//               the rest is dropped and read again from the stream (catch-up)
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
  if (outbox_.holds(is_unkept)) outbox_.drop_unkept(shard_.pressure(), dropped_);
  if (!is_over_limit()) return;
  if (catching_up_ || outbox_.holds(is_unkept)) return too_slow();
  catch_up();
  if (is_over_limit()) too_slow();
}

// The session stays in its group: what is kept of that comes from the stream, and what is not kept is
// counted.
void Session::catch_up() {
  ++shard_.counters().catch_ups;
  const auto after = outbox_.drop_events(shard_.pressure());
  log::debug("session catches up", {{"session", id_}, {"offset", after}});
  catching_up_ = true;
  replays_.push_front(Replay::resume(shard_.shelf().history(), subscription_, after));
  wait_writable();
}

void Session::miss(const Chunk& chunk) {
  for (const auto& mark : chunk.marks) {
    if (shard_.shelf().keeps(*mark.event)) continue;
    ++shard_.pressure().counters(*mark.event).dropped;
    dropped_.add(*mark.event);
  }
}

void Session::pressure_falls() {
  if (phase_ != Phase::live || catching_up_) return;
  if (outbox_.squeezed() && outbox_.footprint() < queue_limit() / 4) outbox_.relax();
  if (dropped_.count == 0 || outbox_.footprint() > queue_limit() / 2) return;
  Gap gap;
  gap.reason = GapReason::dropped;
  gap.epoch = shard_.shelf().epoch();
  gap.offset = shard_.shelf().head();
  gap.from = dropped_.from;
  gap.to = dropped_.to;
  gap.topic = dropped_.topic;
  gap.count = dropped_.count;
  dropped_ = {};
  send_notice(gap_notice(gap));
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
