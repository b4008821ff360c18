#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "bridge/core/stream.h"
#include "bridge/store/journal.h"

/// What the journal's rows hold: their checksums, and what is read from them. Reading throws JournalError if
/// a row is not what was written.
namespace trestle {

std::uint32_t checksum(const Event& event);
std::uint32_t checksum(const LostRange& lost);
std::uint32_t checksum(const ProducerMark& mark);
/// Of a text that leads to one number.
std::uint32_t checksum(const std::string& text, std::uint64_t number);
std::uint32_t checksum(const Journal::Meta& meta);

/// Columns: topic, offset, time, appended, payload, crc.
std::shared_ptr<Event> event_at(sqlite3_stmt* row, const PolicyTable& policies);
/// Columns: producer, seq_from, seq_to, place, appended, crc.
LostRange lost_at(sqlite3_stmt* row);
/// Columns: id, epoch, have, known, state, crc.
ProducerMark mark_at(sqlite3_stmt* row);
/// Columns: claim or topic, number, crc. `what` the number says, for the error.
std::pair<std::string, std::uint64_t> pair_at(sqlite3_stmt* row, const char* what);

}  // namespace trestle
