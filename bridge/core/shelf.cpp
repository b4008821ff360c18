#include "bridge/core/shelf.h"

#include <algorithm>

namespace trestle {

void Shelf::load(const Batch& kept, const Past& past, Micros wall) {
  epoch_ = kept.epoch;
  snapshot_.restore(past.endings);
  history_.restore_missing(past.missing);
  keep(kept);
  history_.forget_up_to(past.gone_up_to);
  expire(wall);  // now: of what is too old only the newest may still be there
}

void Shelf::keep(const Batch& batch) {
  for (const auto& event : batch.events) {
    snapshot_.apply(event);
    history_.apply(event);
  }
  for (const auto& lost : batch.lost) history_.apply(lost);
  head_ = batch.head;
  degraded_ = batch.degraded;
}

void Shelf::expire(Micros wall) {
  snapshot_.expire(wall);
  history_.expire(wall);
}

Shelf::Way Shelf::connect(const Subscription& wanted, const std::optional<Cursor>& since) const {
  if (!since) return {Replay::join(history_, wanted, head_), {}, {}};
  if (covers(*since, wanted, wanted.topics)) {
    return {Replay::resume(history_, wanted, since->offset), {}, since->offset};
  }
  return {Replay::restart(history_, wanted, known_offset(*since), head_), gap_before_restart(*since), {}};
}

Shelf::Way Shelf::widen(Subscription wanted, const Subscription& held,
                        const std::optional<Cursor>& since) const {
  if (!since) return {Replay::join_in_band(std::move(wanted), held, head_), {}, {}};
  if (covers(*since, wanted, wanted.beyond(held))) {
    const auto after = since->offset;
    return {Replay::in_band(history_, std::move(wanted), held, after, after, 0), {}, {}};
  }
  return {Replay::in_band(history_, std::move(wanted), held, known_offset(*since), 0, head_),
          gap_before_restart(*since),
          {}};
}

Gap Shelf::gap_after(const Cursor& cursor) const {
  if (!knows(cursor)) return new_epoch_gap();
  Gap gap;
  gap.reason = GapReason::trimmed;
  gap.epoch = *epoch_;
  gap.offset = head_;
  gap.from = std::min(cursor.offset + 1, gap.offset);  // it may be a loss behind the head that has left
  gap.to = gap.offset;
  return gap;
}

Gap Shelf::new_epoch_gap() const {
  Gap gap;
  gap.reason = GapReason::epoch;
  gap.epoch = *epoch_;
  gap.offset = head_;
  return gap;
}

bool Shelf::knows(const Cursor& cursor) const { return cursor.epoch == *epoch_ && cursor.offset <= head_; }

// True if everything after the cursor is still here.
bool Shelf::covers(const Cursor& cursor, const Subscription& wanted,
                   const std::vector<Pattern>& topics) const {
  return knows(cursor) && history_.missing_up_to(topics) <= cursor.offset &&
         (wanted.form != Form::meta || history_.has_losses_from(cursor.offset));
}

// Where the cursor stands in this epoch; 0 if nowhere.
Offset Shelf::known_offset(const Cursor& cursor) const { return knows(cursor) ? cursor.offset : 0; }

// Who asks from the beginning of any epoch has seen nothing that could be missing.
std::optional<Gap> Shelf::gap_before_restart(const Cursor& since) const {
  if (since.epoch.empty()) return std::nullopt;
  return gap_after(since);
}

}  // namespace trestle
