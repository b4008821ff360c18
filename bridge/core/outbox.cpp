#include "bridge/core/outbox.h"

#include <algorithm>

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

}  // namespace

void Outbox::push(ChunkPtr chunk, std::size_t from) {
  const auto to = chunk->bytes.size();
  Item item{std::move(chunk), from, to, false};
  note_marks(item);
  if (from == to) return;
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
  const auto count = std::min(max, items_.size());
  for (std::size_t i = 0; i < count; ++i) {
    slices[i] = Slice(items_[i].chunk->bytes).substr(items_[i].from, items_[i].to - items_[i].from);
  }
  return count;
}

void Outbox::consume(std::size_t count) {
  bytes_ -= count;
  while (count > 0) {
    auto& item = items_.front();
    const auto step = std::min(count, item.to - item.from);
    item.from += step;
    count -= step;
    note_marks(item);
    if (item.from == item.to) items_.pop_front();
  }
}

void Outbox::note_marks(const Item& item) {
  const auto& marks = item.chunk->marks;
  const auto after =
      std::upper_bound(marks.begin(), marks.end(), item.from,
                       [](std::size_t from, const Chunk::Mark& mark) { return from < mark.end; });
  if (after != marks.begin()) written_ = std::prev(after)->offset;
}

void Outbox::drop_unwritten() {
  if (items_.empty()) return;
  auto& first = items_.front();
  if (first.chunk->frames) first.to = frame_end(first.chunk->bytes, first.from);
  items_.erase(std::next(items_.begin()), items_.end());
  if (first.from == first.to) items_.clear();
  bytes_ = items_.empty() ? 0 : first.to - first.from;
}

}  // namespace trestle
