#include "bridge/store/journal_schema.h"

namespace trestle {
namespace {

constexpr std::uint64_t kApplicationId = 0x5472736c;  // "Trsl", in the file's header

constexpr const char* kEvents = R"sql(
  CREATE TABLE log(offset INTEGER PRIMARY KEY, time INTEGER NOT NULL, appended INTEGER NOT NULL, policy TEXT NOT NULL,
                   topic TEXT NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE latest(topic TEXT PRIMARY KEY, offset INTEGER NOT NULL, time INTEGER NOT NULL, appended INTEGER NOT NULL,
                      payload BLOB NOT NULL, crc INTEGER NOT NULL);
)sql";
constexpr const char* kState = R"sql(
  CREATE TABLE producers(id TEXT NOT NULL, epoch INTEGER NOT NULL, have INTEGER NOT NULL, known INTEGER NOT NULL,
                         state INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY(id, epoch));
  CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), epoch TEXT NOT NULL, head INTEGER NOT NULL,
                    floor INTEGER NOT NULL, rows INTEGER NOT NULL, sum INTEGER NOT NULL, crc INTEGER NOT NULL);
)sql";

constexpr const char* kSinceVersion3 = R"sql(
  CREATE TABLE lost(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, appended INTEGER NOT NULL, producer TEXT NOT NULL,
                    seq_from INTEGER NOT NULL, seq_to INTEGER NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE missing(claim TEXT PRIMARY KEY, up_to INTEGER NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE endings(topic TEXT PRIMARY KEY, until INTEGER NOT NULL, crc INTEGER NOT NULL);
)sql";

// Version 1 did not mark its files: they are known by their tables.
bool is_of_another_program(Database& database) {
  if (database.ask("PRAGMA application_id") == kApplicationId) return false;
  const auto tables = database.ask("SELECT count(*) FROM sqlite_master");
  const auto ours =
      database.ask("SELECT count(*) FROM sqlite_master WHERE name IN ('log', 'latest', 'producers', 'meta')");
  return tables > 0 && ours < 4;
}

}  // namespace

std::string why_not_ours(Database& database) {
  if (is_of_another_program(database)) return "it is a database of another program: set another stream.path";
  const auto version = journal_version(database);
  if (version > kJournalVersion) {
    // One of the upper bytes was hit: the lowest still names a version that we know.
    if ((version & 0xff) <= kJournalVersion)
      throw JournalError("its version is damaged", JournalError::Kind::damage);
    return "it has version " + std::to_string(version) + ", this trestled knows " +
           std::to_string(kJournalVersion) + ": run a newer trestled, or set another stream.path";
  }
  return "";
}

std::uint32_t journal_version(Database& database) {
  // Asked of SQLite, not read from the file's header: the newest may still be in the write-ahead log.
  return static_cast<std::uint32_t>(database.ask("PRAGMA user_version"));
}

void make_tables(Database& database) {
  if (database.ask("SELECT count(*) FROM sqlite_master") > 0)
    throw JournalError("its version is missing", JournalError::Kind::damage);
  database.execute(kEvents);
  database.execute(kState);
  database.execute(kSinceVersion3);
}

// Version 1 knew of each producer's current epoch only, and not what it missed; and it had no checksums but
// those of events.
std::vector<ProducerMark> migrate_version_1(Database& database) {
  std::vector<ProducerMark> marks;
  database.for_each("SELECT id, epoch, have FROM producers ORDER BY rowid", [&](sqlite3_stmt* row) {
    marks.push_back({text_at(row, 0), number_at(row, 1), number_at(row, 2), number_at(row, 2),
                     ProducerMark::State::current});
  });
  database.execute("DROP TABLE meta; DROP TABLE producers");
  database.execute(kState);
  database.execute(kSinceVersion3);
  return marks;
}

void migrate_version_2(Database& database) {
  database.execute(kSinceVersion3);
  migrate_version_3(database);
}

// Version 3 did not know who had said bye.
void migrate_version_3(Database& database) {
  database.execute("ALTER TABLE producers RENAME COLUMN superseded TO state");
}

void write_version(Database& database) {
  database.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
  database.execute("PRAGMA user_version=" + std::to_string(kJournalVersion));
}

}  // namespace trestle
