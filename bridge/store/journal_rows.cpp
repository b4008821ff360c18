#include "bridge/store/journal_rows.h"

#include "bridge/store/crc32c.h"

namespace trestle {
namespace {

using Kind = JournalError::Kind;
using State = ProducerMark::State;

// Of the numbers' bytes, little endian, and the text behind them.
template <std::size_t kCount>
std::uint32_t checksum(const std::uint64_t (&numbers)[kCount], std::string_view text) {
  char bytes[sizeof numbers];
  auto* byte = bytes;
  for (const auto number : numbers) {
    for (int shift = 0; shift < 64; shift += 8) *byte++ = static_cast<char>(number >> shift & 0xff);
  }
  return crc32c(text, crc32c({bytes, sizeof bytes}));
}

}  // namespace

std::uint32_t checksum(const Event& event) {
  const auto head = checksum({event.offset, static_cast<std::uint64_t>(event.time),
                              static_cast<std::uint64_t>(event.appended), event.topic.size()},
                             event.topic);
  return crc32c(event.payload, head);
}

std::uint32_t checksum(const LostRange& lost) {
  return checksum({lost.after, static_cast<std::uint64_t>(lost.appended), lost.from, lost.to}, lost.producer);
}

std::uint32_t checksum(const ProducerMark& mark) {
  return checksum({mark.epoch, mark.have, mark.known, static_cast<std::uint64_t>(mark.state)}, mark.id);
}

std::uint32_t checksum(const std::string& text, std::uint64_t number) {
  return checksum({number, 0, 0, text.size()}, text);
}

std::uint32_t checksum(const Journal::Meta& meta) {
  return checksum({meta.head, meta.floor, meta.rows, meta.sum}, meta.epoch);
}

std::shared_ptr<Event> event_at(sqlite3_stmt* row, const PolicyTable& policies) {
  auto event = std::make_shared<Event>();
  event->topic = text_at(row, 0);
  event->offset = number_at(row, 1);
  event->time = static_cast<Micros>(number_at(row, 2));
  event->appended = static_cast<Micros>(number_at(row, 3));
  event->payload = text_at(row, 4);
  if (checksum(*event) != number_at(row, 5)) {
    throw JournalError("the event at offset " + std::to_string(event->offset) + " is not what was written",
                       Kind::damage);
  }
  event->policy = &policies.find(event->topic);
  return event;
}

LostRange lost_at(sqlite3_stmt* row) {
  LostRange lost;
  lost.producer = text_at(row, 0);
  lost.from = number_at(row, 1);
  lost.to = number_at(row, 2);
  lost.after = number_at(row, 3);
  lost.appended = static_cast<Micros>(number_at(row, 4));
  if (checksum(lost) != number_at(row, 5)) throw JournalError("a loss is not what was written", Kind::damage);
  return lost;
}

ProducerMark mark_at(sqlite3_stmt* row) {
  ProducerMark mark{text_at(row, 0), number_at(row, 1), number_at(row, 2), number_at(row, 3),
                    static_cast<State>(number_at(row, 4))};
  if (checksum(mark) != number_at(row, 5))
    throw JournalError("what is known of a producer is not what was written", Kind::damage);
  return mark;
}

std::pair<std::string, std::uint64_t> pair_at(sqlite3_stmt* row, const char* what) {
  std::pair<std::string, std::uint64_t> pair{text_at(row, 0), number_at(row, 1)};
  if (checksum(pair.first, pair.second) != number_at(row, 2))
    throw JournalError("what " + std::string(what) + " is not what was written", Kind::damage);
  return pair;
}

}  // namespace trestle
