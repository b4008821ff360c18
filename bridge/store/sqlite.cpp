#include "bridge/store/sqlite.h"

#include <cerrno>
#include <utility>

namespace trestle {
namespace {

using Kind = JournalError::Kind;

// The file was opened for writing before SQLite saw it: if SQLite calls it read-only, its header says so.
Kind kind_of(int code) {
  if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_READONLY) return Kind::damage;
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR: return Kind::disk;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Kind::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:
    case SQLITE_FORMAT:
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG: return Kind::damage;
    default: return Kind::other;
  }
}

void check(sqlite3* db, int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  throw JournalError(sqlite3_errmsg(db), kind_of(sqlite3_extended_errcode(db)));
}

// With what would end the path escaped.
std::string uri_of(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : path.string()) {
    if (c == '%') {
      uri += "%25";
    } else if (c == '?') {
      uri += "%3f";
    } else if (c == '#') {
      uri += "%23";
    } else {
      uri += c;
    }
  }
  return uri;
}

}  // namespace

bool is_disk_trouble(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG || error_number == EIO;
}

Statement::Statement(sqlite3* db, const char* sql) : db_(db) {
  check(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(statement_, other.statement_);
  std::swap(bound_, other.bound_);
  return *this;
}

Statement& Statement::text(std::string_view value) {
  sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::blob(std::string_view value) {
  sqlite3_bind_blob64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::number(std::uint64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(value));
  return *this;
}

void Statement::run(const std::function<void(sqlite3_stmt*)>& take) {
  // Ready for the next run, whether this one ends well, fails, or `take` throws.
  struct Reset {
    ~Reset() { sqlite3_reset(statement); }
    sqlite3_stmt* statement;
  } const reset{statement_};
  bound_ = 0;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement_)) == SQLITE_ROW) {
    if (take) take(statement_);
  }
  check(db_, code);
}

std::string text_at(sqlite3_stmt* row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

std::uint64_t number_at(sqlite3_stmt* row, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(row, column));
}

Database::Database(const std::filesystem::path& path) : Database(path.string(), SQLITE_OPEN_READWRITE) {}

Database Database::look_at(const std::filesystem::path& path) {
  return Database(uri_of(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

Database::Database(const std::string& name, int flags) {
  const int code = sqlite3_open_v2(name.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const JournalError error(sqlite3_errmsg(db_), kind_of(code));
    sqlite3_close(db_);
    throw error;
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_exec(db_, "PRAGMA locking_mode=EXCLUSIVE", nullptr, nullptr, nullptr);
}

void Database::execute(const std::string& sql) {
  check(db_, sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
}

void Database::add_function(const char* name, void (*call)(sqlite3_context*, int, sqlite3_value**),
                            void* owner) {
  check(db_, sqlite3_create_function_v2(db_, name, 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, owner, call, nullptr,
                                        nullptr, nullptr));
}

std::uint64_t Database::ask(const char* sql) {
  std::uint64_t answer = 0;
  for_each(sql, [&](sqlite3_stmt* row) { answer = number_at(row, 0); });
  return answer;
}

void Database::tidy_on_close() { sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr); }

}  // namespace trestle
