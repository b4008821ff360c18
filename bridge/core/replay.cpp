#include "bridge/core/replay.h"

#include <algorithm>
#include <limits>

#include "bridge/core/redact.h"

namespace trestle {
namespace {

constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Replay Replay::join(const History& history, Subscription wanted, Offset head) {
  Replay replay(std::move(wanted), {});
  replay.log_after_ = head;
  replay.marked_up_to_ = head;
  replay.tell_losses(history.next_loss(), kAll);
  return replay;
}

Replay Replay::resume(const History& history, Subscription wanted, Offset after, Offset told) {
  Replay replay(std::move(wanted), {});
  replay.position_ = after;
  replay.told_ = told;
  replay.tell_losses(history.loss_from(after), kAll);
  return replay;
}

Replay Replay::restart(const History& history, Subscription wanted, Offset after, Offset told) {
  Replay replay(std::move(wanted), {});
  replay.log_after_ = after;
  replay.marked_up_to_ = after;
  replay.told_ = told;
  replay.tell_losses(history.loss_from(after), kAll);
  return replay;
}

Replay Replay::join_in_band(Subscription wanted, Subscription held, Offset head) {
  Replay replay(std::move(wanted), std::move(held));
  replay.log_after_ = head;
  replay.marked_up_to_ = kAll;
  return replay;
}

Replay Replay::in_band(const History& history, Subscription wanted, Subscription held, Offset log_after,
                       Offset latest_after, Offset told) {
  Replay replay(std::move(wanted), std::move(held));
  replay.position_ = latest_after;
  replay.log_after_ = log_after;
  replay.marked_up_to_ = kAll;
  replay.told_ = told;
  replay.tell_losses(history.loss_from(log_after), history.next_loss());
  return replay;
}

void Replay::tell_losses(std::uint64_t from, std::uint64_t end) {
  if (wanted_.form != Form::meta) return;
  loss_ = from;
  loss_end_ = end;
}

void Replay::remove(const Pattern& pattern) {
  wanted_.remove(pattern);
  held_.remove(pattern);
}

// What was held narrows alike, or what is wanted beyond it would seem to be more than it is.
void Replay::narrow(const std::vector<Pattern>& allowed) {
  wanted_.narrow(allowed);
  held_.narrow(allowed);
}

// Something left before its turn, and the client has not been told that it may be missing.
bool Replay::is_overtaken(const History& history) const {
  if (history.missing_up_to(wanted_.beyond(held_)) > std::max(log_position(), told_)) return true;
  return loss_ < std::min(loss_end_, history.first_loss()) && !history.has_losses_from(told_);
}

const LostRange* Replay::next_loss(const History& history) const {
  return loss_ < loss_end_ ? history.loss(loss_) : nullptr;
}

Replay::Piece Replay::next(const History& history, const Snapshot& snapshot, std::string_view epoch,
                           Offset head, std::size_t budget) {
  const bool overtaken = is_overtaken(history);
  loss_ = std::max(loss_, std::min(loss_end_, history.first_loss()));
  if (overtaken) {
    log_after_ = log_position();
    marked_up_to_ = std::max(marked_up_to_, log_after_);
    position_ = 0;
    told_ = head;
    return {nullptr, false, log_after_};
  }
  auto chunk = std::make_shared<Chunk>();
  History::Walk log(history, log_position());
  auto latest = snapshot.events().upper_bound(position_);
  const auto* loss = next_loss(history);
  const auto patterns = wanted_.topics.size() + held_.topics.size();
  std::size_t work = 0;
  bool done = false;
  while (chunk->bytes.size() < budget && work < kMaxWork) {
    work += 1 + patterns + log.lanes();
    const EventPtr* next = log.current();
    const bool from_latest =
        latest != snapshot.events().end() && (next == nullptr || latest->first < (*next)->offset);
    if (from_latest) next = &latest->second;
    if (loss != nullptr && (next == nullptr || loss->after < (*next)->offset)) {
      append_gap(*chunk, *loss, epoch);
      ++loss_;
      loss = next_loss(history);
      continue;
    }
    done = next == nullptr;
    if (done) break;
    const EventPtr& event = *next;
    if (wants(*event)) {
      if (is_redacted(*event, wanted_.hidden)) work += event->payload.size() / kParsedPerWork;
      const auto shown = redacted(event, wanted_.hidden);
      if (shown) {
        const auto after = chunk->bytes.size() + frame_size(wanted_.form, *shown, marked(*event));
        if (after > budget && !chunk->bytes.empty()) break;  // it begins the next piece
        append_event(*chunk, wanted_.form, shown, marked(*event));
      }
    }
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
