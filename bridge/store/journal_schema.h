#pragma once
#include <string>

#include "bridge/core/stream.h"
#include "bridge/store/sqlite.h"

namespace trestle {

constexpr std::uint32_t kJournalVersion = 4;

/// Why the file is not for this trestled to touch: made by a newer version, or by another program. Empty if
/// it is ours, or new. Reads only; throws JournalError if the file is damaged.
std::string why_not_ours(Database& database);

/// 0 for a new file.
std::uint32_t journal_version(Database& database);

/// The tables of this version, in a transaction of the caller's.
void make_tables(Database& database);

/// Version 1 to this one, in a transaction of the caller's. The caller writes what was known of producers,
/// which is returned, and the new `meta`.
std::vector<ProducerMark> migrate_version_1(Database& database);

/// Version 2 or 3 to this one, in a transaction of the caller's. `meta` stays true.
void migrate_version_2(Database& database);
void migrate_version_3(Database& database);

/// Marks the file as a journal of this version, in a transaction of the caller's.
void write_version(Database& database);

}  // namespace trestle
