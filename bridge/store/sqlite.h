#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trestle {

/// The journal's file said no; what() is for the log.
struct JournalError : std::runtime_error {
  enum class Kind {
    damage,  ///< the file is not, or no longer, what a journal must be
    disk,    ///< full, or failing
    busy,    ///< locked by somebody else
    other    ///< the system refused
  };
  JournalError(const std::string& message, Kind what_kind) : std::runtime_error(message), kind(what_kind) {}
  Kind kind;
};

/// Whether an errno says that the disk is full, or fails.
bool is_disk_trouble(int error_number);

/// A prepared statement, finalized with its owner. Its functions throw JournalError.
///
/// Bound texts and blobs must live until the statement has run.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, const char* sql);
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement() { sqlite3_finalize(statement_); }

  /// The parameters, from the first.
  Statement& text(std::string_view value);
  Statement& blob(std::string_view value);
  Statement& number(std::uint64_t value);
  /// Runs it with what was bound, and gives each row.
  void run(const std::function<void(sqlite3_stmt*)>& take = nullptr);

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

std::string text_at(sqlite3_stmt* row, int column);
std::uint64_t number_at(sqlite3_stmt* row, int column);

/// One database file; opened for writing, under an exclusive lock.
///
/// Thread: its owner's.
class Database {
 public:
  /// Throws JournalError. Nothing is written, and nothing moved from the write-ahead log into the file, not
  /// even on closing, unless asked for.
  explicit Database(const std::filesystem::path& path);
  /// Only to read what the file says, without its write-ahead log and without a lock: touches and makes
  /// nothing. Throws JournalError.
  static Database look_at(const std::filesystem::path& path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db_); }

  void execute(const std::string& sql);
  Statement prepare(const char* sql) { return {db_, sql}; }
  /// A function of two numbers for statements of ours; `owner` outlives the database's use of it.
  void add_function(const char* name, void (*call)(sqlite3_context*, int, sqlite3_value**), void* owner);
  /// The first column of the only row.
  std::uint64_t ask(const char* sql);
  void for_each(const char* sql, const std::function<void(sqlite3_stmt*)>& take) { prepare(sql).run(take); }
  void rollback() noexcept { sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr); }
  /// Moves everything from the write-ahead log into the file.
  void checkpoint() { execute("PRAGMA wal_checkpoint(TRUNCATE)"); }
  /// The write-ahead log is removed on closing.
  void tidy_on_close();

 private:
  Database(const std::string& name, int flags);

  sqlite3* db_ = nullptr;
};

}  // namespace trestle
