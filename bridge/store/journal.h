#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/config/settings.h"
#include "bridge/core/stream.h"
#include "proto/result.h"

struct sqlite3_stmt;

namespace trestle {

/// SQLite said no; what() is for the log.
struct JournalError : std::runtime_error {
  JournalError(const std::string& message, bool damage) : std::runtime_error(message), damaged(damage) {}
  bool damaged;  ///< the file is not, or no longer, what a journal must be; else the disk or the system
                 ///< refused
};

/// The journal: one SQLite file in WAL mode, locked for the life of the process.
///
///     log      offset → topic, times, payload, crc, policy     events of `log` topics
///     latest   topic → the same                                the newest of each `latest` topic
///     producers id → epoch, have                               how far each producer is
///     meta     epoch, head, floor, rows                        one row, in every transaction
///
/// Every function but open() throws JournalError.  Thread: the spine's.
class Journal {
 public:
  static constexpr int kSchemaVersion = 1;

  struct Meta {
    std::string epoch;
    Offset head = 0;
    Offset floor = 0;        ///< events up to here were never in this journal
    std::uint64_t rows = 0;  ///< of log and latest together: rows that vanish are noticed
  };

  /// Opens or makes the file. The error is for the operator: in use by another process, made by a newer
  /// version (then left untouched), not writable. A damaged file throws JournalError.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path,
                                               StreamSettings::Durability durability, const Meta& fresh);
  ~Journal();

  const Meta& meta() const { return meta_; }
  /// Reads everything, and checks it: each row's CRC, and the number of rows. Rows that `policies` judge
  /// differently than the ones they were written under are moved to where they belong now, or deleted.
  Past read(const PolicyTable& policies);

  void begin();
  void commit(const std::string& epoch, Offset head);
  void rollback() noexcept;
  void put_log(const Event& event);
  /// `fresh`: the topic has no row yet.
  void put_latest(const Event& event, bool fresh);
  void erase_latest(const std::string& topic);
  void put_producer(const ProducerMark& mark);
  /// Deletes the rows of a policy with `after` < offset <= `up_to`.
  void trim_log(const Policy& policy, Offset after, Offset up_to);
  /// Moves everything from the write-ahead log into the file.
  void checkpoint();

 private:
  struct Sqlite;
  explicit Journal(std::unique_ptr<Sqlite> sqlite);
  void make(const Meta& fresh);
  void for_each(const char* sql, const std::function<void(sqlite3_stmt*)>& take);
  void settle(Past& past, const std::vector<const Event*>& misplaced);
  void read_meta();

  std::unique_ptr<Sqlite> sqlite_;
  Meta meta_;
};

}  // namespace trestle
