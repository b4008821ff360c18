#include "bridge/store/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "bridge/store/journal_rows.h"
#include "bridge/store/journal_schema.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

using Kind = JournalError::Kind;
using State = ProducerMark::State;

bool is_earlier(const EventPtr& a, const EventPtr& b) { return a->offset < b->offset; }

bool has_earlier_place(const LostRange& a, const LostRange& b) { return a.after < b.after; }

// SQLite deletes the log of a database that holds nothing: it must not come to that.
bool has_lost_its_database(const std::filesystem::path& path) {
  std::error_code none;
  const auto log_size = std::filesystem::file_size(path.string() + "-wal", none);
  return !none && log_size > 0 && std::filesystem::file_size(path) == 0;
}

// Made before SQLite does, for nobody else to read: events may be confidential.
void make_private(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int code = errno;
  if (fd >= 0) {
    ::close(fd);
  } else {
    throw JournalError(std::strerror(code), is_disk_trouble(code) ? Kind::disk : Kind::other);
  }
}

constexpr const char* kCheckRights = " (check its rights, or set another stream.path)";

Error cannot_use(const std::filesystem::path& path, const std::string& why) {
  return Error{"cannot use the journal " + path.string() + ": " + why};
}

std::optional<Error> find_missing_folder(const std::filesystem::path& path) {
  std::error_code unknown;
  const auto folder = path.parent_path();
  if (folder.empty() || std::filesystem::exists(folder, unknown) || unknown) return std::nullopt;
  return cannot_use(path,
                    "there is no folder " + folder.string() + " (create it, or set another stream.path)");
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path,
                                               StreamSettings::Durability durability, const Meta& fresh) {
  if (const auto missing = find_missing_folder(path)) return *missing;
  try {
    make_private(path);
    if (has_lost_its_database(path)) throw JournalError("all but its write-ahead log is gone", Kind::damage);
    std::unique_ptr<Journal> journal(new Journal(path));
    auto& database = journal->database_;
    if (const auto why = why_not_ours(database); !why.empty()) return cannot_use(path, why);
    database.execute("PRAGMA journal_mode=WAL");
    database.execute(durability == StreamSettings::Durability::power ? "PRAGMA synchronous=FULL"
                                                                     : "PRAGMA synchronous=NORMAL");
    database.execute(
        "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY");
    journal->make_or_migrate(fresh);
    return journal;
  } catch (const JournalError& error) {
    if (error.kind == Kind::busy)
      return cannot_use(path, "it is in use, perhaps by another trestled (set stream.path)");
    if (error.kind == Kind::other) return cannot_use(path, error.what() + std::string(kCheckRights));
    throw;
  }
}

std::optional<Error> Journal::find_fault(const std::filesystem::path& path) {
  const auto refused = [&](const std::string& why) { return cannot_use(path, why + kCheckRights); };
  if (auto missing = find_missing_folder(path)) return missing;
  if (const auto fault = fault_of_folder(path)) return refused(*fault);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return std::nullopt;
  if (const auto fault = fault_of_own_file(path)) return refused(*fault);
  try {
    auto database = Database::look_at(path);
    if (const auto why = why_not_ours(database); !why.empty()) return cannot_use(path, why);
  } catch (const JournalError& error) {  // what is damaged is set aside, a disk that fails is waited for
    if (error.kind == Kind::other) return refused(error.what());
  }
  return std::nullopt;
}

void Journal::make_or_migrate(const Meta& fresh) {
  const auto version = journal_version(database_);
  if (version == kJournalVersion) {
    prepare();
    return read_meta();
  }
  begin();
  std::vector<ProducerMark> marks;
  if (version == 0) {
    make_tables(database_);
    meta_ = fresh;
  } else {
    marks = migrate(version);
  }
  write_version(database_);
  prepare();
  for (const auto& mark : marks) put_producer(mark);
  commit(meta_.epoch, meta_.head);
  database_.checkpoint();
}

// What is known of producers is returned if it has to be written anew.
std::vector<ProducerMark> Journal::migrate(std::uint32_t version) {
  if (version > 1) {
    read_meta();
    version == 2 ? migrate_version_2(database_) : migrate_version_3(database_);
    return {};
  }
  database_.for_each("SELECT epoch, head, floor FROM meta", [&](sqlite3_stmt* row) {
    meta_ = {text_at(row, 0), number_at(row, 1), number_at(row, 2), 0, 0};
  });
  auto marks = migrate_version_1(database_);
  for (const char* rows : {"SELECT crc FROM log", "SELECT crc FROM latest"})
    database_.for_each(rows, [&](sqlite3_stmt* row) { count_in(number_at(row, 0)); });
  return marks;
}

void Journal::prepare() {
  const auto statement = [this](const char* sql) { return database_.prepare(sql); };
  put_log_ =
      statement("INSERT INTO log(offset, time, appended, policy, topic, payload, crc) VALUES(?,?,?,?,?,?,?)");
  put_latest_ =
      statement("INSERT INTO latest(topic, offset, time, appended, payload, crc) VALUES(?,?,?,?,?,?)");
  put_lost_ =
      statement("INSERT INTO lost(producer, seq_from, seq_to, place, appended, crc) VALUES(?,?,?,?,?,?)");
  put_producer_ = statement("INSERT INTO producers(id, epoch, have, known, state, crc) VALUES(?,?,?,?,?,?)");
  put_missing_ = statement("INSERT INTO missing(claim, up_to, crc) VALUES(?,?,?)");
  put_ending_ = statement("INSERT INTO endings(topic, until, crc) VALUES(?,?,?)");
  put_meta_ = statement("REPLACE INTO meta(id, epoch, head, floor, rows, sum, crc) VALUES(1,?,?,?,?,?,?)");
  erase_log_ = statement("DELETE FROM log WHERE offset = ? RETURNING crc");
  erase_latest_ = statement("DELETE FROM latest WHERE topic = ? RETURNING crc");
  erase_lost_ =
      statement("DELETE FROM lost WHERE id IN (SELECT id FROM lost ORDER BY id LIMIT ?) RETURNING crc");
  erase_producer_ = statement("DELETE FROM producers WHERE id = ? AND epoch = ? RETURNING crc");
  erase_missing_ = statement("DELETE FROM missing WHERE claim = ? RETURNING crc");
  erase_ending_ = statement("DELETE FROM endings WHERE topic = ? RETURNING crc");
  // Not RETURNING: for many rows at a time that costs as much again as deleting them.
  database_.add_function("count_out_if", count_out_if, this);
  trim_ = statement("DELETE FROM log WHERE offset > ? AND offset <= ? AND count_out_if(policy = ?, crc)");
}

void Journal::read_meta() {
  bool sound = false;
  database_.for_each("SELECT epoch, head, floor, rows, sum, crc FROM meta", [&](sqlite3_stmt* row) {
    meta_ = {text_at(row, 0), number_at(row, 1), number_at(row, 2), number_at(row, 3), number_at(row, 4)};
    sound = checksum(meta_) == number_at(row, 5);
  });
  if (!sound) throw JournalError("its head is missing or is not what was written", Kind::damage);
}

Past Journal::read(const PolicyTable& policies) {
  Past past;
  past.gone_up_to = meta_.floor;
  past.events.reserve(meta_.rows);
  std::vector<const Event*> misplaced;
  Meta found;
  const auto count = [&](std::uint64_t crc) {
    found.sum += crc;
    if (++found.rows > meta_.rows) throw JournalError("it holds more than was written", Kind::damage);
  };
  database_.for_each("SELECT topic, offset, time, appended, payload, crc, policy FROM log ORDER BY offset",
                     [&](sqlite3_stmt* row) {
                       count(number_at(row, 5));
                       past.events.push_back(event_at(row, policies));
                       const auto& policy = *past.events.back()->policy;
                       if (policy.keep != Keep::log || policy.match.text() != text_at(row, 6))
                         misplaced.push_back(past.events.back().get());
                     });
  const auto logged = static_cast<std::ptrdiff_t>(past.events.size());
  database_.for_each("SELECT topic, offset, time, appended, payload, crc FROM latest",
                     [&](sqlite3_stmt* row) {
                       count(number_at(row, 5));
                       past.events.push_back(event_at(row, policies));
                       if (past.events.back()->policy->keep != Keep::latest)
                         misplaced.push_back(past.events.back().get());
                     });
  database_.for_each("SELECT id, epoch, have, known, state, crc FROM producers ORDER BY rowid",
                     [&](sqlite3_stmt* row) {
                       count(number_at(row, 5));
                       past.producers.push_back(mark_at(row));
                     });
  database_.for_each("SELECT producer, seq_from, seq_to, place, appended, crc FROM lost ORDER BY id",
                     [&](sqlite3_stmt* row) {
                       count(number_at(row, 5));
                       past.lost.push_back(lost_at(row));
                     });
  Claims claims;
  database_.for_each("SELECT claim, up_to, crc FROM missing", [&](sqlite3_stmt* row) {
    count(number_at(row, 2));
    claims.insert(pair_at(row, "may be missing"));
  });
  database_.for_each("SELECT topic, until, crc FROM endings ORDER BY rowid", [&](sqlite3_stmt* row) {
    count(number_at(row, 2));
    auto [topic, until] = pair_at(row, "was ended");
    past.endings.push_back({std::move(topic), static_cast<Micros>(until)});
  });
  if (found.rows != meta_.rows) {
    throw JournalError(
        std::to_string(meta_.rows) + " rows were written, " + std::to_string(found.rows) + " are there",
        Kind::damage);
  }
  if (found.sum != meta_.sum)
    throw JournalError("parts of it are older or newer than the rest", Kind::damage);
  // The log came in order, and may be long.
  std::sort(past.events.begin() + logged, past.events.end(), is_earlier);
  std::inplace_merge(past.events.begin(), past.events.begin() + logged, past.events.end(), is_earlier);
  settle(past, misplaced);
  past.missing = settle(std::move(claims), policies);
  if (!past.events.empty() && past.events.back()->offset > meta_.head) {
    throw JournalError("an event lies beyond the head", Kind::damage);
  }
  if (!std::is_sorted(past.lost.begin(), past.lost.end(), has_earlier_place))
    throw JournalError("its losses are out of order", Kind::damage);
  return past;
}

// The configuration has changed since these were written. What still is a log changes its policy; the rest
// goes.
void Journal::settle(Past& past, const std::vector<const Event*>& misplaced) {
  if (misplaced.empty()) return;
  begin();
  for (const auto* event : misplaced) {
    if (erase(erase_log_.number(event->offset)) == 0) erase_latest(event->topic);
    if (event->policy->keep == Keep::log) put_log(*event);
  }
  commit(meta_.epoch, meta_.head);
  const std::unordered_set<const Event*> moved(misplaced.begin(), misplaced.end());
  const auto gone = [&](const EventPtr& event) {
    return event->policy->keep != Keep::log && moved.count(event.get()) != 0;
  };
  past.events.erase(std::remove_if(past.events.begin(), past.events.end(), gone), past.events.end());
}

// A policy that came to topics that were not its own, or that were no log, may miss anything of the past: who
// knows what became of it. Returns what each policy of the table may miss.
std::vector<Offset> Journal::settle(Claims found, const PolicyTable& policies) {
  std::vector<Offset> missing;
  std::vector<std::string> unknown;
  for (const auto& policy : policies.all()) {
    const auto known = policy.keep == Keep::log ? found.extract(policies.claim(policy)) : Claims::node_type();
    missing.push_back(known ? known.mapped() : policy.keep == Keep::log ? meta_.head : 0);
    if (policy.keep == Keep::log && !known) unknown.push_back(policies.claim(policy));
  }
  if (unknown.empty() && found.empty()) return missing;
  begin();
  for (const auto& [claim, up_to] : found) put_missing(claim, std::nullopt);
  for (const auto& claim : unknown) put_missing(claim, meta_.head);
  commit(meta_.epoch, meta_.head);
  return missing;
}

void Journal::begin() { begin_.run(); }

void Journal::commit(const std::string& epoch, Offset head) {
  meta_.epoch = epoch;
  meta_.head = head;
  put_meta_.text(epoch).number(head).number(meta_.floor).number(meta_.rows).number(meta_.sum);
  put_meta_.number(checksum(meta_)).run();
  commit_.run();
}

void Journal::put_log(const Event& event) {
  const auto crc = checksum(event);
  put_log_.number(event.offset).number(static_cast<std::uint64_t>(event.time));
  put_log_.number(static_cast<std::uint64_t>(event.appended)).text(event.policy->match.text());
  put_log_.text(event.topic).blob(event.payload).number(crc).run();
  count_in(crc);
}

void Journal::put_latest(const Event& event, bool fresh) {
  if (!fresh) erase_latest(event.topic);
  const auto crc = checksum(event);
  put_latest_.text(event.topic).number(event.offset).number(static_cast<std::uint64_t>(event.time));
  put_latest_.number(static_cast<std::uint64_t>(event.appended)).blob(event.payload).number(crc).run();
  count_in(crc);
}

void Journal::erase_latest(const std::string& topic) { erase(erase_latest_.text(topic)); }

void Journal::put_lost(const LostRange& lost) {
  const auto crc = checksum(lost);
  put_lost_.text(lost.producer).number(lost.from).number(lost.to).number(lost.after);
  put_lost_.number(static_cast<std::uint64_t>(lost.appended)).number(crc).run();
  count_in(crc);
}

void Journal::trim_lost(std::size_t count) { erase(erase_lost_.number(count)); }

void Journal::put_producer(const ProducerMark& mark) {
  erase(erase_producer_.text(mark.id).number(mark.epoch));
  if (mark.state == State::forgotten) return;
  const auto crc = checksum(mark);
  put_producer_.text(mark.id).number(mark.epoch).number(mark.have).number(mark.known);
  put_producer_.number(static_cast<std::uint64_t>(mark.state)).number(crc).run();
  count_in(crc);
}

void Journal::put_missing(const std::string& claim, const std::optional<Offset>& up_to) {
  erase(erase_missing_.text(claim));
  if (!up_to) return;
  const auto crc = checksum(claim, *up_to);
  put_missing_.text(claim).number(*up_to).number(crc).run();
  count_in(crc);
}

void Journal::put_ending(const std::string& topic, const std::optional<Micros>& until) {
  erase(erase_ending_.text(topic));
  if (!until) return;
  const auto number = static_cast<std::uint64_t>(*until);
  const auto crc = checksum(topic, number);
  put_ending_.text(topic).number(number).number(crc).run();
  count_in(crc);
}

void Journal::trim_log(const Policy& policy, Offset after, Offset up_to) {
  trim_.number(after).number(up_to).text(policy.match.text()).run();
}

void Journal::count_in(std::uint64_t crc) {
  ++meta_.rows;
  meta_.sum += crc;
}

void Journal::count_out(std::uint64_t crc) {
  --meta_.rows;
  meta_.sum -= crc;
}

// The last condition of a DELETE, so asked once for each row that the others let through: whether it goes,
// and its CRC.
void Journal::count_out_if(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const bool goes = sqlite3_value_int(values[0]) != 0;
  if (goes) {
    auto* journal = static_cast<Journal*>(sqlite3_user_data(context));
    journal->count_out(static_cast<std::uint64_t>(sqlite3_value_int64(values[1])));
  }
  sqlite3_result_int(context, goes ? 1 : 0);
}

// Runs a DELETE … RETURNING crc; how many rows went.
std::size_t Journal::erase(Statement& statement) {
  std::size_t count = 0;
  statement.run([&](sqlite3_stmt* row) {
    ++count;
    count_out(number_at(row, 0));
  });
  return count;
}

void Journal::finish() {
  database_.checkpoint();
  database_.tidy_on_close();
}

}  // namespace trestle
