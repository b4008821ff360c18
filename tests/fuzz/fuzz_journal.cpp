// A journal and its head file that something has damaged: bytes changed or cut off, rows changed or gone.
// Whatever is found, the bridge starts with what is whole, or says in one line why not; and what it then
// writes is there at the next start.
//
// The input is a list of damages, each of kDamage bytes; see damage().
#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "bridge/core/clock.h"
#include "bridge/log/log.h"
#include "bridge/store/journaled_stream.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kDamage = 5;
constexpr std::array<const char*, 7> kTables{"log",     "latest",  "lost", "producers",
                                             "missing", "endings", "meta"};
constexpr std::array<const char*, 16> kColumns{"offset", "time",  "appended", "policy", "topic", "payload",
                                               "crc",    "id",    "epoch",    "have",   "known", "state",
                                               "head",   "floor", "rows",     "sum"};

/// A folder in memory, gone with the fuzzer.
class Folder {
 public:
  Folder() {
    std::string name = "/dev/shm/trestle-fuzz-journal-XXXXXX";
    MUST(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const PolicyTable& policies() {
  static const PolicyTable table({});
  return table;
}

StreamSettings settings_in(const fs::path& folder) {
  StreamSettings settings;
  settings.path = folder / "trestle.db";
  return settings;
}

std::shared_ptr<Event> event_of(const char* topic, const char* payload) {
  auto event = std::make_shared<Event>();
  event->time = event->appended = read_clock().wall;
  event->topic = topic;
  event->payload = payload;
  event->policy = &policies().find(topic);
  return event;
}

void append(Stream& stream) {
  std::vector<LostRange> lost(1);
  lost[0].producer = "worker-1";
  lost[0].from = 3;
  lost[0].to = 4;
  lost[0].before = 1;
  lost[0].appended = read_clock().wall;
  stream.append(
      {event_of("note", R"({"type":"note","n":1})"), event_of("queue-update", R"({"type":"queue-update"})"),
       event_of("command-progress.7", R"({"type":"command-progress","id":7})"),
       event_of("task-finished.7", R"({"type":"task-finished","taskConfig":{"id":7}})")},
      lost, {{"worker-1", 1, 9, 12, ProducerMark::State::current}});
}

// A whole journal, after an orderly stop and, beside it, as a crash leaves it: with its write-ahead log.
struct Templates {
  Templates() {
    LogSettings quiet;
    quiet.level = LogSettings::Level::error;
    log::start(quiet);
    auto stream = JournaledStream::open(settings_in(folder.path()), policies(), read_clock());
    MUST(stream);
    append(**stream);
    fs::create_directory(folder.path() / "crash");
    copy_to(folder.path() / "crash");
    stream = Error{""};
    fs::create_directory(folder.path() / "stop");
    copy_to(folder.path() / "stop");
  }
  void copy_to(const fs::path& target) const {
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      if (entry.is_regular_file()) fs::copy_file(entry.path(), target / entry.path().filename());
    }
  }
  Folder folder;
};

void clear(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void change_row(const fs::path& folder, std::size_t table, std::size_t column, std::size_t value) {
  const std::string name = kTables[table % kTables.size()];
  static constexpr std::array<const char*, 8> kValues{"NULL",    "0",      "-1", "9223372036854775807",
                                                      "x'00ff'", "'text'", "''", "1.5"};
  const auto sql = (value & 8) != 0
                       ? "DELETE FROM " + name + " WHERE rowid % 2 = " + std::to_string(column % 2)
                       : "UPDATE OR IGNORE " + name + " SET " + kColumns[column % kColumns.size()] + " = " +
                             kValues[value % kValues.size()];
  sqlite3* database = nullptr;
  if (sqlite3_open((folder / "trestle.db").c_str(), &database) == SQLITE_OK) {
    sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  }
  sqlite3_close(database);
}

// What it is, which file or table, where (two bytes), and a byte.
void damage(const fs::path& folder, std::string_view how) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(how[i]); };
  if (byte(0) % 4 == 3) return change_row(folder, byte(1), byte(2), byte(4));
  const auto files = files_in(folder);
  if (files.empty()) return;
  const auto& file = files[byte(1) % files.size()];
  const auto size = fs::file_size(file);
  const auto at = size == 0 ? 0 : (std::size_t{byte(2)} << 8 | byte(3)) % size;
  if (byte(0) % 4 == 2) return fs::resize_file(file, at);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(how[4]);
}

// Some damage, such as to the list of what is free in a page, shows only when something is written there:
// then the journal is set aside a moment later, and what comes next is kept in a new one.
void start_anew(JournaledStream& stream) {
  const auto epoch = *stream.epoch();
  auto later = read_clock();
  later.steady += std::chrono::seconds(2);
  stream.tick(later);
  MUST(stream.trouble().empty() && *stream.epoch() != epoch);
  append(stream);
}

Result<std::unique_ptr<JournaledStream>> open(const fs::path& folder) {
  return JournaledStream::open(settings_in(folder), policies(), read_clock());
}

void check_past(const Past& past, Offset head) {
  Offset last = 0;
  for (const auto& event : past.events) {
    MUST(event->offset > last && event->offset <= head && event->policy != nullptr && !event->topic.empty());
    last = event->offset;
  }
  for (const auto& lost : past.lost) MUST(lost.after <= head && lost.from <= lost.to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Templates templates;
  static const Folder work;
  const auto& folder = work.path();
  auto input = text_of(data, size);
  clear(folder);
  const bool crash = !input.empty() && input.front() % 2 != 0;
  if (!input.empty()) input.remove_prefix(1);
  for (const auto& file : files_in(templates.folder.path() / (crash ? "crash" : "stop"))) {
    fs::copy_file(file, folder / file.filename());
  }
  const bool damaged = input.size() >= kDamage;
  for (int n = 0; n < 8 && input.size() >= kDamage; ++n, input.remove_prefix(kDamage)) {
    damage(folder, input.substr(0, kDamage));
  }
  auto stream = open(folder);
  if (!stream) {
    MUST(!stream.error().message.empty() && stream.error().message.find('\n') == std::string::npos);
    return 0;
  }
  check_past((*stream)->restore(), (*stream)->head());
  const auto before = (*stream)->head();
  append(**stream);
  if (!(*stream)->trouble().empty()) start_anew(**stream);
  MUST((*stream)->head() > before && (*stream)->trouble().empty());
  const auto head = (*stream)->head();
  const auto epoch = *(*stream)->epoch();
  stream = Error{""};
  stream = open(folder);
  MUST(stream);
  // Damage that nothing has looked at until now sets the journal aside at this start, which its epoch says.
  if (*(*stream)->epoch() != epoch) {
    MUST(damaged);
    return 0;
  }
  MUST((*stream)->head() == head);
  const auto past = (*stream)->restore();
  MUST(!past.events.empty() && past.events.back()->offset == head);
  return 0;
}
