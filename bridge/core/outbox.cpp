#include "bridge/core/outbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bridge/core/groups.h"

namespace trestle {
namespace {

// Where the frame that byte `position` falls into ends, walking the headers of unmasked server frames.
std::size_t frame_end(const std::string& bytes, std::size_t position) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  std::size_t start = 0;
  while (start < position) {
    std::size_t header = 2;
    auto length = byte(start + 1) & 0x7f;
    if (length >= 126) {
      const std::size_t extended = length == 126 ? 2 : 8;
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(start + 2 + i);
      header += extended;
    }
    start += header + length;
  }
  return start;
}

bool ends_before(std::size_t place, const Chunk::Mark& mark) { return place < mark.end; }
bool begins_before(const Chunk::Mark& mark, std::size_t place) { return mark.begin < place; }

// What who has got the chunk up to `place` has got to; 0 if no mark ends before that.
Offset offset_at(const Chunk& chunk, std::size_t place) {
  const auto after = std::upper_bound(chunk.marks.begin(), chunk.marks.end(), place, ends_before);
  return after == chunk.marks.begin() ? 0 : std::prev(after)->offset;
}

// Only a tail that others have joined has to be made: it is one frame.
bool is_made(const Chunk& chunk) { return !chunk.bytes.empty(); }

void make_frame(const Joined& tail, Chunk& chunk) {
  if (is_made(chunk)) return;
  Chunk made;
  made.bytes.reserve(chunk.marks.front().end);
  append_event(made, Form::meta, tail.whole(), false);
  chunk.bytes = std::move(made.bytes);
}

// What the merged event is to the outbox; its payload is in the frame already.
EventPtr without_payload(const Event& event) {
  auto light = std::make_shared<Event>();
  light->offset = event.offset;
  light->topic = event.topic;
  light->policy = event.policy;
  return light;
}

bool is_droppable(const Event& event) {
  return event.policy->keep == Keep::none && event.policy->under_pressure == UnderPressure::drop;
}

}  // namespace

void Outbox::push(ChunkPtr chunk, std::size_t from) {
  const auto to = chunk->bytes.size();
  Item item{std::move(chunk), from, to};
  note_marks(item);
  if (from == to) return;
  if (squeezed_) return append_squeezed(item);
  bytes_ += to - from;
  items_.push_back(std::move(item));
}

void Outbox::push_pong(ChunkPtr chunk) {
  for (auto& item : items_) {
    if (!item.pong || item.from != 0) continue;
    bytes_ += chunk->bytes.size() - item.to;
    item.to = chunk->bytes.size();
    item.chunk = std::move(chunk);
    return;
  }
  push(std::move(chunk));
  items_.back().pong = true;
}

std::size_t Outbox::front(Slice* slices, std::size_t max) const {
  std::size_t count = 0;
  for (auto item = items_.begin(); item != items_.end() && count < max; ++item) {
    if (!is_made(*item->chunk)) make_frame(*squeezed_->tail, *squeezed_->joined);
    slices[count++] = Slice(item->chunk->bytes).substr(item->from, item->to - item->from);
  }
  return count;
}

void Outbox::consume(std::size_t count) {
  bytes_ -= count;
  while (count > 0) {
    auto& item = items_.front();
    forget_latest(item);
    const auto step = std::min(count, item.to - item.from);
    item.from += step;
    count -= step;
    note_marks(item);
    if (item.from == item.to) items_.pop_front();
  }
}

void Outbox::note_marks(const Item& item) {
  written_ = std::max(written_, offset_at(*item.chunk, item.from));
}

Offset Outbox::drop_unwritten() {
  relax();
  const auto will_have = written_or_begun();
  if (items_.empty()) return will_have;
  auto& first = items_.front();
  if (first.chunk->frames) first.to = frame_end(first.chunk->bytes, first.from);
  items_.erase(std::next(items_.begin()), items_.end());
  if (first.from == first.to) items_.clear();
  bytes_ = items_.empty() ? 0 : items_.front().to - items_.front().from;
  return will_have;
}

std::size_t Outbox::first_frame() const {
  if (items_.empty()) return 0;
  const auto& first = items_.front();
  const bool is_one = !first.chunk->frames || !is_made(*first.chunk);
  return (is_one ? first.to : frame_end(first.chunk->bytes, first.from + 1)) - first.from;
}

// --- squeezing ---

void Outbox::squeeze(Pressure& pressure, bool merges) {
  if (squeezed_) return;
  squeezed_.reset(new Squeezed{pressure, merges, {}, std::nullopt, nullptr});
  auto waiting = std::exchange(items_, {});
  bytes_ = 0;
  for (auto& item : waiting) append_squeezed(item);
}

void Outbox::append_squeezed(Item& item) {
  if (item.pong || item.names) {
    bytes_ += item.to - item.from;
    items_.push_back(std::move(item));
    return;
  }
  const auto& marks = item.chunk->marks;
  auto place = item.from;
  for (auto mark = std::lower_bound(marks.begin(), marks.end(), item.from, begins_before);
       mark != marks.end() && mark->end <= item.to; ++mark) {
    append_run(item.chunk, place, mark->begin);
    append_event(item.chunk, *mark);
    place = mark->end;
  }
  append_run(item.chunk, place, item.to);
}

void Outbox::append_run(const ChunkPtr& chunk, std::size_t from, std::size_t to) {
  if (from == to) return;
  bytes_ += to - from;
  const bool goes_on = !items_.empty() && items_.back().chunk == chunk && items_.back().to == from &&
                       items_.back().latest == nullptr;
  if (goes_on) {
    items_.back().to = to;
  } else {
    items_.push_back({chunk, from, to});
  }
}

void Outbox::append_event(const ChunkPtr& chunk, const Chunk::Mark& mark) {
  if (mark.event && mark.event->policy->keep == Keep::latest) return replace_latest(chunk, mark);
  if (mark.event && squeezed_->merges && merge_into_tail(mark)) return;
  append_run(chunk, mark.begin, mark.end);
}

void Outbox::replace_latest(const ChunkPtr& chunk, const Chunk::Mark& mark) {
  auto& latest = squeezed_->latest;
  if (const auto older = latest.find(mark.event->topic); older != latest.end()) {
    bytes_ -= older->second->to - older->second->from;
    items_.erase(older->second);
    latest.erase(older);
    ++squeezed_->pressure.counters(*mark.event).replaced;
  }
  items_.push_back({chunk, mark.begin, mark.end, &mark});
  bytes_ += mark.end - mark.begin;
  latest.emplace(mark.event->topic, std::prev(items_.end()));
}

void Outbox::relax() {
  for (auto& item : items_) item.latest = nullptr;
  if (squeezed_) start_tail(nullptr);
  squeezed_.reset();
}

// Writing it begins, or it leaves: a newer one no longer takes its place.
void Outbox::forget_latest(Item& item) {
  if (squeezed_ && item.latest != nullptr) squeezed_->latest.erase(item.latest->event->topic);
  item.latest = nullptr;
}

bool Outbox::merge_into_tail(const Chunk::Mark& mark) {
  auto& pressure = squeezed_->pressure;
  auto& tail = squeezed_->tail;
  auto newer = pressure.mergeable(mark.event);
  const auto* before = newer ? tail_event() : nullptr;
  if (before != nullptr && (!tail || tail->newest() != before->event)) {
    start_tail(before->event->policy == mark.event->policy ? pressure.mergeable(before->event) : nullptr);
  }
  if (before == nullptr || !tail || !tail->join(newer)) {
    start_tail(std::move(newer));
    return false;
  }
  grow_tail(*before);
  ++pressure.counters(*mark.event).merged;
  return true;
}

// Ends the tail that there is: nothing joins it any more.
void Outbox::start_tail(Pressure::MergeablePtr first) {
  auto& tail = squeezed_->tail;
  if (const auto joined = std::exchange(squeezed_->joined, nullptr)) {
    make_frame(*tail, *joined);
    auto& event = joined->marks.front().event;
    event = without_payload(*event);
  }
  tail.reset();
  if (first) tail.emplace(std::move(first));
}

// The tail's newest event takes the place of the one before it, which is the last one.
void Outbox::grow_tail(const Chunk::Mark& before) {
  auto& joined = squeezed_->joined;
  if (!joined) {
    cut_tail(before.begin);
    joined = std::make_shared<Chunk>();
    joined->marks.emplace_back();
    items_.push_back({joined, 0, 0});
  }
  const auto& tail = *squeezed_->tail;
  const auto& event = tail.newest();
  const auto size = frame_size(Form::meta, *event, tail.payload_size(), false);
  auto& item = items_.back();
  bytes_ -= item.to;
  bytes_ += size;
  item.to = size;
  joined->marks.front() = {event->offset, 0, size, event};
  joined->bytes = std::string();
}

// The last event, if nothing comes after it and nothing of it is written.
const Chunk::Mark* Outbox::tail_event() const {
  if (items_.empty() || items_.back().pong) return nullptr;
  const auto& item = items_.back();
  const auto& marks = item.chunk->marks;
  const auto after = std::upper_bound(marks.begin(), marks.end(), item.to, ends_before);
  if (after == marks.begin()) return nullptr;
  const auto& last = *std::prev(after);
  return last.event && last.end == item.to && last.begin >= item.from ? &last : nullptr;
}

void Outbox::cut_tail(std::size_t to) {
  auto& item = items_.back();
  bytes_ -= item.to - to;
  item.to = to;
  if (item.from == item.to) items_.pop_back();
}

// --- giving up ---

// Leaves out the frames with a mark that `keep` refuses, from the item `first` on; a frame that is partly
// written stays. `left` is told where each was: before that item, or in it.
template <typename Keep, typename Left>
void Outbox::filter(Items::iterator first, Keep keep, Left left) {
  for (auto item = first; item != items_.end();) {
    const auto& marks = item->chunk->marks;
    auto from = item->from;
    for (auto mark = std::lower_bound(marks.begin(), marks.end(), from, begins_before);
         mark != marks.end() && mark->end <= item->to; ++mark) {
      if (keep(*mark)) continue;
      if (mark->begin > from) items_.insert(item, {item->chunk, from, mark->begin});
      left(item);
      bytes_ -= mark->end - mark->begin;
      from = mark->end;
    }
    if (from != item->from) forget_latest(*item);
    item->from = from;
    item = from == item->to ? items_.erase(item) : std::next(item);
  }
}

bool Outbox::holds_event(const Item& item, const std::function<bool(const Event&)>& asked) {
  const auto& marks = item.chunk->marks;
  auto mark = std::lower_bound(marks.begin(), marks.end(), item.from, begins_before);
  for (; mark != marks.end() && mark->end <= item.to; ++mark) {
    if (mark->event && asked(*mark->event)) return true;
  }
  return false;
}

bool Outbox::holds(const std::function<bool(const Event&)>& asked) const {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const Item& item) { return holds_event(item, asked); });
}

bool Outbox::holds_replayed() const {
  return std::any_of(items_.begin(), items_.end(), [](const Item& item) { return item.chunk->replayed; });
}

Outbox::Items::iterator Outbox::waiting_notice(Items::iterator first) {
  return std::find_if(first, items_.end(), [](const Item& item) { return item.names && item.from == 0; });
}

void Outbox::drop_unkept(Pressure& pressure, const Tell& tell) {
  auto notice = waiting_notice(items_.begin());
  const Event* leaves = nullptr;
  filter(
      items_.begin(),
      [&](const Chunk::Mark& mark) {
        if (!mark.event || !is_droppable(*mark.event)) return true;
        ++pressure.counters(*mark.event).dropped;
        leaves = mark.event.get();
        return false;
      },
      [&](Items::iterator place) {
        if (notice == items_.end()) {
          notice = items_.insert(place, Item{nullptr, 0, 0});
          notice->names = std::make_unique<Dropped>();
        }
        notice->names->add(*leaves);
      });
  if (leaves == nullptr) return;
  notice->chunk = tell(*notice->names);
  bytes_ -= notice->to;
  notice->to = notice->chunk->bytes.size();
  bytes_ += notice->to;
}

void Outbox::withdraw(const std::function<bool(const Event&)>& refused) {
  filter(
      items_.begin(), [&](const Chunk::Mark& mark) { return !mark.event || !refused(*mark.event); },
      [](auto) {});
}

Outbox::Unread Outbox::drop_events(Pressure& pressure) {
  Unread unread;
  unread.after = written_or_begun();
  const auto any = [](const Event&) { return true; };
  auto item = items_.begin();
  // What a notice says of the cursor is true as long as no event leaves ahead of it.
  for (; item != items_.end() && !holds_event(*item, any); ++item) {
    unread.after = std::max(unread.after, offset_at(*item->chunk, item->to));
  }
  if (const auto notice = waiting_notice(item); notice != items_.end()) {
    unread.untold = std::move(*notice->names);
    bytes_ -= notice->to;
    const auto next = items_.erase(notice);
    if (notice == item) item = next;
  }
  filter(
      item,
      [&](const Chunk::Mark& mark) {
        if (mark.event) ++pressure.counters(*mark.event).reread;
        return false;
      },
      [&](Items::iterator place) { unread.lives += place->chunk->live ? 1 : 0; });
  relax();
  return unread;
}

Offset Outbox::written_or_begun() const {
  if (items_.empty()) return written_;
  const auto& first = items_.front();
  const auto& marks = first.chunk->marks;
  const auto mark = std::upper_bound(marks.begin(), marks.end(), first.from, ends_before);
  const bool begun = mark != marks.end() && mark->begin < first.from;
  return begun ? mark->offset : written_;
}

}  // namespace trestle
