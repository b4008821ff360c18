#include "bridge/store/journal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "bridge/store/crc32c.h"

namespace trestle {
namespace {

constexpr const char* kSchema = R"sql(
  CREATE TABLE log(offset INTEGER PRIMARY KEY, time INTEGER NOT NULL, appended INTEGER NOT NULL, policy TEXT NOT NULL,
                   topic TEXT NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE latest(topic TEXT PRIMARY KEY, offset INTEGER NOT NULL, time INTEGER NOT NULL, appended INTEGER NOT NULL,
                      payload BLOB NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE producers(id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, have INTEGER NOT NULL);
  CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), epoch TEXT NOT NULL, head INTEGER NOT NULL,
                    floor INTEGER NOT NULL, rows INTEGER NOT NULL);
)sql";

// The user_version of an SQLite file, from its header (fileformat2, 1.3: big endian at 60), without opening
// it as a database: a file of a newer version must be left untouched. 0 if there is no such file.
std::uint32_t file_version(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 64> header{};
  if (!file.read(header.data(), header.size()) || std::string_view(header.data(), 15) != "SQLite format 3")
    return 0;
  std::uint32_t version = 0;
  for (std::size_t i = 60; i < 64; ++i) version = version << 8 | static_cast<unsigned char>(header[i]);
  return version;
}

void append_integer(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

std::uint32_t checksum(const Event& event) {
  std::string numbers;
  append_integer(numbers, event.offset);
  append_integer(numbers, static_cast<std::uint64_t>(event.time));
  append_integer(numbers, static_cast<std::uint64_t>(event.appended));
  append_integer(numbers, event.topic.size());
  return crc32c(event.payload, crc32c(event.topic, crc32c(numbers)));
}

bool is_damage(int code) {
  const int primary = code & 0xff;
  return code == SQLITE_IOERR_SHORT_READ || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
         primary == SQLITE_MISMATCH || primary == SQLITE_SCHEMA || primary == SQLITE_ERROR ||
         primary == SQLITE_FORMAT;
}

sqlite3_int64 to_sql(std::uint64_t value) { return static_cast<sqlite3_int64>(value); }

}  // namespace

struct Journal::Sqlite {
  ~Sqlite() {
    for (auto* statement : {put_log, put_latest, erase_latest, put_producer, trim, put_meta})
      sqlite3_finalize(statement);
    sqlite3_close(db);
  }

  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    const int extended = sqlite3_extended_errcode(db);
    throw JournalError(sqlite3_errmsg(db), is_damage(extended));
  }
  void execute(const char* sql) const { check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statement;
  }
  void run(sqlite3_stmt* statement) const {
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    check(code);
  }
  void prepare_all() {
    put_log =
        prepare("INSERT INTO log(offset, time, appended, policy, topic, payload, crc) VALUES(?,?,?,?,?,?,?)");
    put_latest =
        prepare("REPLACE INTO latest(topic, offset, time, appended, payload, crc) VALUES(?,?,?,?,?,?)");
    erase_latest = prepare("DELETE FROM latest WHERE topic = ?");
    put_producer = prepare("REPLACE INTO producers(id, epoch, have) VALUES(?,?,?)");
    trim = prepare("DELETE FROM log WHERE offset > ? AND offset <= ? AND policy = ?");
    put_meta = prepare("REPLACE INTO meta(id, epoch, head, floor, rows) VALUES(1,?,?,?,?)");
  }

  sqlite3* db = nullptr;
  sqlite3_stmt* put_log = nullptr;
  sqlite3_stmt* put_latest = nullptr;
  sqlite3_stmt* erase_latest = nullptr;
  sqlite3_stmt* put_producer = nullptr;
  sqlite3_stmt* trim = nullptr;
  sqlite3_stmt* put_meta = nullptr;
};

namespace {

// Bound texts and blobs must live until the statement has run; all of ours do.
void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
void bind_blob(sqlite3_stmt* statement, int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
}
void bind_number(sqlite3_stmt* statement, int index, std::uint64_t number) {
  sqlite3_bind_int64(statement, index, to_sql(number));
}

std::string text_at(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

std::uint64_t number_at(sqlite3_stmt* statement, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement, column));
}

// Columns: topic, offset, time, appended, payload, crc.
std::shared_ptr<Event> event_at(sqlite3_stmt* row, const PolicyTable& policies) {
  auto event = std::make_shared<Event>();
  event->topic = text_at(row, 0);
  event->offset = number_at(row, 1);
  event->time = static_cast<Micros>(number_at(row, 2));
  event->appended = static_cast<Micros>(number_at(row, 3));
  event->payload = text_at(row, 4);
  if (checksum(*event) != number_at(row, 5)) {
    throw JournalError("the event at offset " + std::to_string(event->offset) + " is not what was written",
                       true);
  }
  event->policy = &policies.find(event->topic);
  return event;
}

}  // namespace

Journal::Journal(std::unique_ptr<Sqlite> sqlite) : sqlite_(std::move(sqlite)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path,
                                               StreamSettings::Durability durability, const Meta& fresh) {
  const auto version = file_version(path);
  if (version > kSchemaVersion) {
    return Error{"the journal " + path.string() + " has version " + std::to_string(version) +
                 ", this trestled knows " + std::to_string(kSchemaVersion) +
                 ": run a newer trestled, or set another stream.path"};
  }
  // Made before SQLite does, for nobody else to read: events may be confidential.
  if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  auto sqlite = std::make_unique<Sqlite>();
  auto* db = sqlite.get();
  const int opened = sqlite3_open_v2(
      path.c_str(), &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Journal> journal(new Journal(std::move(sqlite)));
  try {
    db->check(opened);
    db->execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;");
    db->execute(durability == StreamSettings::Durability::power ? "PRAGMA synchronous=FULL"
                                                                : "PRAGMA synchronous=NORMAL");
    db->execute("PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;");
    if (version == 0) journal->make(fresh);
    db->prepare_all();
    journal->read_meta();
  } catch (const JournalError& error) {
    if (error.damaged) throw;
    const int code = sqlite3_extended_errcode(db->db) & 0xff;
    const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    return Error{
        "cannot use the journal " + path.string() + ": " +
        (busy ? "it is in use, perhaps by another trestled (set stream.path)" : std::string(error.what()))};
  }
  return journal;
}

void Journal::make(const Meta& fresh) {
  sqlite_->execute("BEGIN IMMEDIATE");
  sqlite_->execute(kSchema);
  sqlite_->execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
  auto* statement = sqlite_->prepare("INSERT INTO meta(id, epoch, head, floor, rows) VALUES(1,?,?,?,0)");
  bind_text(statement, 1, fresh.epoch);
  bind_number(statement, 2, fresh.head);
  bind_number(statement, 3, fresh.floor);
  const int code = sqlite3_step(statement);
  sqlite3_finalize(statement);
  sqlite_->check(code);
  sqlite_->execute("COMMIT");
  checkpoint();  // so that the version stands in the file's header
}

void Journal::read_meta() {
  auto* statement = sqlite_->prepare("SELECT epoch, head, floor, rows FROM meta");
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    meta_ = {text_at(statement, 0), number_at(statement, 1), number_at(statement, 2),
             number_at(statement, 3)};
  }
  sqlite3_finalize(statement);
  if (code == SQLITE_DONE) throw JournalError("the head is missing", true);
  sqlite_->check(code);
}

void Journal::for_each(const char* sql, const std::function<void(sqlite3_stmt*)>& take) {
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(sqlite_->prepare(sql),
                                                                        sqlite3_finalize);
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) take(statement.get());
  sqlite_->check(code);
}

Past Journal::read(const PolicyTable& policies) {
  Past past;
  past.gone_up_to = meta_.floor;
  past.events.reserve(meta_.rows);
  std::vector<const Event*> misplaced;
  for_each("SELECT topic, offset, time, appended, payload, crc, policy FROM log", [&](sqlite3_stmt* row) {
    past.events.push_back(event_at(row, policies));
    const auto& event = *past.events.back();
    if (event.policy->keep != Keep::log || event.policy->match.text() != text_at(row, 6))
      misplaced.push_back(&event);
  });
  for_each("SELECT topic, offset, time, appended, payload, crc FROM latest", [&](sqlite3_stmt* row) {
    past.events.push_back(event_at(row, policies));
    if (past.events.back()->policy->keep != Keep::latest) misplaced.push_back(past.events.back().get());
  });
  for_each("SELECT id, epoch, have FROM producers", [&](sqlite3_stmt* row) {
    past.producers.push_back({text_at(row, 0), number_at(row, 1), number_at(row, 2)});
  });
  if (past.events.size() != meta_.rows) {
    throw JournalError(std::to_string(meta_.rows) + " events were kept, " +
                           std::to_string(past.events.size()) + " are there",
                       true);
  }
  settle(past, misplaced);
  std::sort(past.events.begin(), past.events.end(),
            [](const EventPtr& a, const EventPtr& b) { return a->offset < b->offset; });
  if (!past.events.empty() && past.events.back()->offset > meta_.head) {
    throw JournalError("an event lies beyond the head", true);
  }
  return past;
}

// The configuration has changed since these were written. What still is a log changes its policy; the rest
// goes.
void Journal::settle(Past& past, const std::vector<const Event*>& misplaced) {
  if (misplaced.empty()) return;
  begin();
  auto* erase = sqlite_->prepare("DELETE FROM log WHERE offset = ?");
  for (const auto* event : misplaced) {
    bind_number(erase, 1, event->offset);
    sqlite_->run(erase);
    if (sqlite3_changes(sqlite_->db) == 0) {
      erase_latest(event->topic);
    } else {
      --meta_.rows;
    }
    if (event->policy->keep == Keep::log) put_log(*event);
  }
  sqlite3_finalize(erase);
  commit(meta_.epoch, meta_.head);
  const auto gone = [&](const EventPtr& event) {
    return event->policy->keep != Keep::log &&
           std::find(misplaced.begin(), misplaced.end(), event.get()) != misplaced.end();
  };
  past.events.erase(std::remove_if(past.events.begin(), past.events.end(), gone), past.events.end());
}

void Journal::begin() { sqlite_->execute("BEGIN"); }

void Journal::commit(const std::string& epoch, Offset head) {
  auto* statement = sqlite_->put_meta;
  bind_text(statement, 1, epoch);
  bind_number(statement, 2, head);
  bind_number(statement, 3, meta_.floor);
  bind_number(statement, 4, meta_.rows);
  sqlite_->run(statement);
  sqlite_->execute("COMMIT");
  meta_.epoch = epoch;
  meta_.head = head;
}

void Journal::rollback() noexcept { sqlite3_exec(sqlite_->db, "ROLLBACK", nullptr, nullptr, nullptr); }

void Journal::put_log(const Event& event) {
  auto* statement = sqlite_->put_log;
  bind_number(statement, 1, event.offset);
  bind_number(statement, 2, static_cast<std::uint64_t>(event.time));
  bind_number(statement, 3, static_cast<std::uint64_t>(event.appended));
  bind_text(statement, 4, event.policy->match.text());
  bind_text(statement, 5, event.topic);
  bind_blob(statement, 6, event.payload);
  bind_number(statement, 7, std::uint64_t{checksum(event)});
  sqlite_->run(statement);
  ++meta_.rows;
}

void Journal::put_latest(const Event& event, bool fresh) {
  if (fresh) ++meta_.rows;
  auto* statement = sqlite_->put_latest;
  bind_text(statement, 1, event.topic);
  bind_number(statement, 2, event.offset);
  bind_number(statement, 3, static_cast<std::uint64_t>(event.time));
  bind_number(statement, 4, static_cast<std::uint64_t>(event.appended));
  bind_blob(statement, 5, event.payload);
  bind_number(statement, 6, std::uint64_t{checksum(event)});
  sqlite_->run(statement);
}

void Journal::erase_latest(const std::string& topic) {
  bind_text(sqlite_->erase_latest, 1, topic);
  sqlite_->run(sqlite_->erase_latest);
  meta_.rows -= static_cast<std::uint64_t>(sqlite3_changes(sqlite_->db));
}

void Journal::put_producer(const ProducerMark& mark) {
  bind_text(sqlite_->put_producer, 1, mark.id);
  bind_number(sqlite_->put_producer, 2, mark.epoch);
  bind_number(sqlite_->put_producer, 3, mark.have);
  sqlite_->run(sqlite_->put_producer);
}

void Journal::trim_log(const Policy& policy, Offset after, Offset up_to) {
  auto* statement = sqlite_->trim;
  bind_number(statement, 1, after);
  bind_number(statement, 2, up_to);
  bind_text(statement, 3, policy.match.text());
  sqlite_->run(statement);
  meta_.rows -= static_cast<std::uint64_t>(sqlite3_changes(sqlite_->db));
}

void Journal::checkpoint() { sqlite_->execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace trestle
