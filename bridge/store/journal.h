#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/config/settings.h"
#include "bridge/core/stream.h"
#include "bridge/store/sqlite.h"
#include "proto/result.h"

namespace trestle {

/// The journal: one SQLite file in WAL mode, locked for the life of the process.
///
///     log      offset → topic, times, payload, policy, crc     events of `log` topics
///     latest   topic → the same                                the newest of each `latest` topic
///     lost     id → place, time, producer, seqs, crc           losses, and the newest one that has left
///     producers id, epoch → have, known, state, crc            how far each life of each producer is
///     missing  claim of a `log` policy → offset, crc           events of it may be missing up to there
///     endings  topic → time, crc                               ended, and until when
///     meta     epoch, head, floor, rows, sum, crc              one row, in every transaction
///
/// Every row carries a CRC32C, and `meta` the number and the sum of them all: a row that was changed, has
/// vanished, or came back with an older copy of a part of the file is noticed.
///
/// Every function throws JournalError.  Thread: the spine's.
class Journal {
 public:
  struct Meta {
    std::string epoch;
    Offset head = 0;
    Offset floor = 0;        ///< events up to here were never in this journal
    std::uint64_t rows = 0;  ///< of all the others together
    std::uint64_t sum = 0;   ///< of their CRCs, modulo 2^64
  };

  /// Opens or makes the file; one of an older version is brought up to this one. The error is for the
  /// operator: in use by another process, not writable, made by a newer version, or another program's (the
  /// last two are left untouched). Throws if the file is damaged, and if the disk is full or fails.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path,
                                               StreamSettings::Durability durability, const Meta& fresh);
  /// What open() would fail with whoever uses the file, found without making or changing anything.
  static std::optional<Error> find_fault(const std::filesystem::path& path);

  const Meta& meta() const { return meta_; }
  /// Reads everything, and checks it: each row's CRC, their number and their sum. Rows that `policies` judge
  /// differently than the ones they were written under are moved to where they belong now, or deleted.
  Past read(const PolicyTable& policies);

  void begin();
  void commit(const std::string& epoch, Offset head);
  void rollback() noexcept { database_.rollback(); }
  void put_log(const Event& event);
  /// `fresh`: the topic has no row yet.
  void put_latest(const Event& event, bool fresh);
  void erase_latest(const std::string& topic);
  /// Deletes it if it is forgotten.
  void put_producer(const ProducerMark& mark);
  void put_lost(const LostRange& lost);
  /// Deletes the `count` oldest losses.
  void trim_lost(std::size_t count);
  /// Nothing: nobody makes this claim any longer.
  void put_missing(const std::string& claim, const std::optional<Offset>& up_to);
  /// Nothing: it is over.
  void put_ending(const std::string& topic, const std::optional<Micros>& until);
  /// Deletes the rows of a policy with `after` < offset <= `up_to`.
  void trim_log(const Policy& policy, Offset after, Offset up_to);
  /// An orderly end: everything is moved from the write-ahead log into the file, which is then the only one.
  /// Without it both are left as they are.
  void finish();

 private:
  explicit Journal(const std::filesystem::path& path)
      : database_(path), begin_(database_.prepare("BEGIN")), commit_(database_.prepare("COMMIT")) {}
  void make_or_migrate(const Meta& fresh);
  std::vector<ProducerMark> migrate(std::uint32_t version);
  void prepare();
  void read_meta();
  void settle(Past& past, const std::vector<const Event*>& misplaced);
  using Claims = std::map<std::string, Offset>;  // how much of each may be missing
  std::vector<Offset> settle(Claims found, const PolicyTable& policies);
  void count_in(std::uint64_t crc);
  void count_out(std::uint64_t crc);
  static void count_out_if(sqlite3_context* context, int, sqlite3_value** values);
  std::size_t erase(Statement& statement);

  Database database_;
  Meta meta_;
  Statement begin_;
  Statement commit_;
  Statement put_log_;
  Statement put_latest_;
  Statement put_lost_;
  Statement put_producer_;
  Statement put_meta_;
  Statement put_missing_;
  Statement put_ending_;
  Statement erase_log_;
  Statement erase_latest_;
  Statement erase_lost_;
  Statement erase_producer_;
  Statement erase_missing_;
  Statement erase_ending_;
  Statement trim_;
};

}  // namespace trestle
