#include "bridge/store/journaled_stream.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "bridge/store/crc32c.h"
#include "bridge/store/journal_schema.h"

using namespace trestle;
namespace fs = std::filesystem;

namespace {

constexpr Micros kDay = Micros{24} * 3600 * 1'000'000;
constexpr Micros kStart = 1'800'000'000'000'000;

Policy policy(const std::string& match, Keep keep, std::optional<std::size_t> count = {}) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.keep = keep;
  made.retain.count = count;
  return made;
}

std::vector<Policy> three_kept() { return {policy("few", Keep::log, 3)}; }

// A journal in a folder of its own; every start() is another life of the bridge.
class Life {
 public:
  Life()
      : folder_(fs::temp_directory_path() /
                ("trestle-journal-" + std::to_string(::getpid()) + "-" + std::to_string(++count))) {
    fs::create_directories(folder_);
  }
  ~Life() { fs::remove_all(folder_); }

  std::unique_ptr<JournaledStream> start() {
    now_.wall += 1'000'000;
    auto stream = JournaledStream::open({path(), StreamSettings::Durability::process}, *policies_, now_);
    REQUIRE_MESSAGE(stream.has_value(), (stream ? "" : stream.error().message));
    return std::move(*stream);
  }
  // kill -9: whatever the stream would do on its way out does not happen.
  void kill(std::unique_ptr<JournaledStream> stream) {
    const auto copy = folder_.string() + "-copy";
    fs::remove_all(copy);
    fs::copy(folder_, copy);
    stream.reset();
    fs::remove_all(folder_);
    fs::rename(copy, folder_);
    write_head_again();
  }
  // A copied head file is younger than it says it is; now it is as the bridge would have left it.
  void write_head_again() const {
    const auto path = path_of_head();
    const auto found = HeadFile::find(path);
    REQUIRE(found.head);
    CHECK(HeadFile::open(path, false)->write(*found.head));
  }
  // Another configuration; while no stream lives.
  void configure(std::vector<Policy> own) { policies_.emplace(std::move(own)); }
  // What the start finds may be missing of the events of a topic.
  Offset missing(const Past& past, const std::string& topic) const {
    return past.missing[static_cast<std::size_t>(&policies_->find(topic) - policies_->all().data())];
  }
  Offset append(Stream& stream, const std::string& topic, const std::string& payload,
                std::vector<ProducerMark> marks = {}) {
    auto event = std::make_shared<Event>();
    event->topic = topic;
    event->payload = payload;
    event->time = event->appended = now_.wall;
    event->policy = &policies_->find(topic);
    std::vector<LostRange> none;
    stream.append({event}, none, marks);
    return event->offset;
  }
  /// A loss of that many events, behind all that is there.
  void lose(Stream& stream, Seq events) {
    std::vector<LostRange> lost(1);
    lost[0].producer = "worker";
    lost[0].from = next_seq_;
    lost[0].to = next_seq_ + events - 1;
    lost[0].appended = now_.wall;
    next_seq_ += events;
    stream.append({}, lost, {});
  }
  void advance(Stream& stream, Micros by) {
    now_.wall += by;
    now_.steady += std::chrono::microseconds(by);
    stream.tick(now_);
  }
  fs::path path() const { return folder_ / "trestle.db"; }
  fs::path path_of_head() const { return path().string() + ".head"; }
  const fs::path& folder() const { return folder_; }

 private:
  static inline int count = 0;
  const fs::path folder_;
  std::optional<PolicyTable> policies_{std::in_place, three_kept()};
  Now now_{std::chrono::steady_clock::now(), kStart};
  Seq next_seq_ = 1;
};

std::string texts(const Past& past) {
  std::string out;
  for (const auto& event : past.events) out += std::to_string(event->offset) + "=" + event->payload + " ";
  return out;
}

// "1-2@4": what is lost, and behind which offset.
std::string losses(const Past& past) {
  std::string out;
  for (const auto& lost : past.lost) {
    out += std::to_string(lost.from) + "-" + std::to_string(lost.to) + "@" + std::to_string(lost.after) + " ";
  }
  return out;
}

void overwrite(const fs::path& path, std::size_t at, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

}  // namespace

TEST_CASE("crc32c of the nine digits is the one of RFC 3720") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("6789", crc32c("12345")) == 0xe3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("a journal that was stopped in order") {
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  life.append(*stream, "log.a", "1");
  life.append(*stream, "queue-update", "2");
  life.append(*stream, "queue-update", "3", {{"worker", 7, 12}});
  life.append(*stream, "$sys.rejected", "4");
  stream.reset();
  stream = life.start();

  SUBCASE("goes on in its epoch, after its last offset") {
    CHECK(*stream->epoch() == epoch);
    CHECK(stream->head() == 4);
    CHECK(life.append(*stream, "log.a", "5") == 5);
  }
  SUBCASE("has the log, the newest of each latest topic, and nothing of what is not kept") {
    CHECK(texts(stream->restore()) == "1=1 3=3 ");
  }
  SUBCASE("knows how far its producers are") {
    const auto past = stream->restore();
    REQUIRE(past.producers.size() == 1);
    CHECK(past.producers[0].id == "worker");
    CHECK(past.producers[0].epoch == 7);
    CHECK(past.producers[0].have == 12);
  }
}

TEST_CASE("a journal whose process was killed") {
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  for (int i = 1; i <= 5; ++i) life.append(*stream, "log.a", std::to_string(i));
  life.kill(std::move(stream));
  stream = life.start();
  CHECK(*stream->epoch() == epoch);
  CHECK(texts(stream->restore()) == "1=1 2=2 3=3 4=4 5=5 ");
}

TEST_CASE("a journal whose process was killed before the head file told of the last commit") {
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  life.append(*stream, "log.a", "1");
  const auto told = HeadFile::find(life.path_of_head()).head;
  life.append(*stream, "log.a", "2");
  life.kill(std::move(stream));
  CHECK(HeadFile::open(life.path_of_head(), false)->write(*told));
  stream = life.start();
  CHECK(*stream->epoch() == epoch);
  CHECK(stream->head() == 2);
  CHECK(texts(stream->restore()) == "1=1 2=2 ");
}

TEST_CASE("a journal that is older than what was delivered starts a new epoch and reuses no offset") {
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  life.append(*stream, "log.a", "1");
  stream.reset();
  const auto old_copy = life.folder() / "old.db";
  fs::copy(life.path(), old_copy);
  stream = life.start();
  life.append(*stream, "log.a", "2");
  stream.reset();
  fs::remove(life.path().string() + "-wal");
  fs::rename(old_copy, life.path());

  stream = life.start();
  CHECK(*stream->epoch() != epoch);
  CHECK(std::stoull(*stream->epoch()) > std::stoull(epoch));
  CHECK(stream->head() == 2);
  CHECK(texts(stream->restore()) == "1=1 ");
}

TEST_CASE("without its head file a journal can't tell what was delivered: a new epoch") {
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  life.append(*stream, "log.a", "1");
  stream.reset();
  fs::remove(life.path().string() + ".head");
  stream = life.start();
  CHECK(*stream->epoch() != epoch);
  CHECK(texts(stream->restore()) == "1=1 ");
}

TEST_CASE("retention leaves the file too") {
  Life life;
  auto stream = life.start();
  for (int i = 1; i <= 10; ++i) life.append(*stream, "few", std::to_string(i));
  SUBCASE("by count") {
    stream.reset();
    stream = life.start();
    CHECK(texts(stream->restore()) == "8=8 9=9 10=10 ");
  }
  SUBCASE("by age") {
    life.append(*stream, "other", "x");  // the last policy: one hour
    life.advance(*stream, kDay);
    stream.reset();
    stream = life.start();
    CHECK(texts(stream->restore()) == "8=8 9=9 10=10 ");
  }
}

TEST_CASE("the end of a task takes its progress out of the file, and a late progress does not come back") {
  Life life;
  auto stream = life.start();
  life.append(*stream, "command-progress.7", "50");
  life.append(*stream, "task-finished.7", "done");
  life.append(*stream, "command-progress.7", "60");
  stream.reset();
  stream = life.start();
  CHECK(texts(stream->restore()) == "2=done ");
}

TEST_CASE("what a policy retains of its topics is what is in the file") {
  Life life;
  auto seats = policy("seat.*", Keep::latest, 2);
  auto pulses = policy("pulse.*", Keep::latest);
  pulses.retain.age = std::chrono::seconds(10);
  pulses.retain.bytes = 8;
  const auto texts_after_restart = [&] { return texts(life.start()->restore()); };
  life.configure({seats, pulses});
  {
    auto stream = life.start();
    for (const auto* topic : {"seat.1", "seat.2", "seat.1", "seat.3", "pulse.1", "pulse.2"})
      life.append(*stream, topic, "abcd");
    life.append(*stream, "pulse.3", "more than all");
  }
  CHECK(texts_after_restart() == "3=abcd 4=abcd 5=abcd 6=abcd ");
  {
    auto stream = life.start();
    life.append(*stream, "seat.2", "comes back");
    life.append(*stream, "pulse.1", "ab");
    life.append(*stream, "pulse.2", "ab");
  }
  CHECK(texts_after_restart() == "4=abcd 8=comes back 9=ab 10=ab ");
  {
    auto stream = life.start();
    life.advance(*stream, 11'000'000);
  }
  CHECK(texts_after_restart() == "4=abcd 8=comes back ");

  INFO("a configuration that keeps less");
  seats.retain.count = 1;
  life.configure({seats, pulses});
  {
    auto stream = life.start();
    life.advance(*stream, 1'000'000);
  }
  CHECK(texts_after_restart() == "8=comes back ");
}

TEST_CASE("what was trimmed is known after a restart") {
  Life life;
  auto stream = life.start();
  for (int i = 1; i <= 10; ++i) life.append(*stream, "few", std::to_string(i));
  life.append(*stream, "log.a", "11");
  SUBCASE("in order") { stream.reset(); }
  SUBCASE("by a kill") { life.kill(std::move(stream)); }
  SUBCASE("over two of them") {
    stream.reset();
    life.start().reset();
  }
  stream = life.start();
  const auto past = stream->restore();
  CHECK(life.missing(past, "few") == 7);
  CHECK(life.missing(past, "log.a") == 0);
}

TEST_CASE("what the configuration lets go of at a restart is known to be gone") {
  Life life;
  life.configure({policy("few", Keep::log, 10), policy("bare", Keep::none), policy("old.*", Keep::log, 1)});
  auto stream = life.start();
  for (int i = 1; i <= 10; ++i) life.append(*stream, "few", std::to_string(i));
  life.append(*stream, "log.a", "11");
  life.append(*stream, "old.1", "12");
  stream.reset();
  std::vector<Policy> then{policy("few", Keep::log, 10), policy("bare", Keep::none),
                           policy("old.*", Keep::log, 1)};
  Offset few = 0;
  Offset bare = 0;
  Offset log = 0;
  SUBCASE("nothing has changed") {}
  SUBCASE("a policy that keeps less") {
    then[0].retain.count = 3;
    few = 7;
  }
  SUBCASE("a policy that keeps now what it did not") {
    then[1].keep = Keep::log;
    bare = 12;
  }
  SUBCASE("a policy that is new takes topics of another") {
    then.push_back(policy("log.*", Keep::log));
    log = 12;
  }
  SUBCASE("a policy that is gone leaves its topics to another") {
    then.pop_back();
    log = 12;
  }
  SUBCASE("another order") { std::swap(then[0], then[2]); }
  life.configure(then);
  stream = life.start();
  life.advance(*stream, 1);
  if (then[0].retain.count != 3u) CHECK(stream->restore().events.size() == 12);
  stream.reset();
  life.configure(then);
  stream = life.start();
  const auto past = stream->restore();
  CHECK(life.missing(past, "few") == few);
  CHECK(life.missing(past, "bare") == bare);
  CHECK(life.missing(past, "log.a") == log);
}

TEST_CASE("a task that was finished stays so after a restart, though its ending event was trimmed") {
  Life life;
  auto work = policy("work.*", Keep::latest);
  work.until = *Pattern::parse("done.*");
  life.configure({work, policy("done.*", Keep::log, 1)});
  auto stream = life.start();
  life.append(*stream, "work.1", "1");
  life.append(*stream, "done.1", "2");
  life.append(*stream, "done.2", "3");
  SUBCASE("in order") { stream.reset(); }
  SUBCASE("by a kill") { life.kill(std::move(stream)); }
  stream = life.start();
  CHECK(stream->restore().endings.size() == 2);
  life.append(*stream, "work.1", "4");
  stream.reset();
  stream = life.start();
  CHECK(texts(stream->restore()) == "3=3 ");

  life.advance(*stream, kDay);  // forgotten once it need not be known
  life.append(*stream, "work.1", "5");
  stream.reset();
  stream = life.start();
  const auto past = stream->restore();
  CHECK(past.endings.empty());
  CHECK(texts(past) == "3=3 5=5 ");
}

TEST_CASE("a second bridge on the same journal is refused") {
  Life life;
  const auto stream = life.start();
  const PolicyTable policies({});
  const auto second = JournaledStream::open({life.path(), StreamSettings::Durability::process}, policies,
                                            {std::chrono::steady_clock::now(), kStart});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("in use") != std::string::npos);
}

TEST_CASE("a journal of a newer version is refused and left as it is") {
  Life life;
  life.start().reset();
  overwrite(life.path(), 63, 9);
  const auto size = fs::file_size(life.path());
  const auto time = fs::last_write_time(life.path());
  const PolicyTable policies({});
  const auto stream = JournaledStream::open({life.path(), StreamSettings::Durability::process}, policies,
                                            {std::chrono::steady_clock::now(), kStart});
  REQUIRE_FALSE(stream.has_value());
  CHECK(stream.error().message.find("version 9") != std::string::npos);
  CHECK(stream.error().message.find("knows " + std::to_string(kJournalVersion)) != std::string::npos);
  CHECK(fs::file_size(life.path()) == size);
  CHECK(fs::last_write_time(life.path()) == time);
}

TEST_CASE(
    "whatever happens to its files, a journal starts, whole or in a new epoch, and serves no wrong event") {
  const char* seed_text = std::getenv("TRESTLE_SEED");
  const auto seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : std::random_device{}();
  INFO("TRESTLE_SEED=" << seed);
  std::mt19937_64 random(seed);
  Life life;
  auto stream = life.start();
  const auto epoch = *stream->epoch();
  std::string all;
  for (int i = 1; i <= 200; ++i) {
    life.append(*stream, "log.a", "payload-" + std::to_string(i));
    all += std::to_string(i) + "=payload-" + std::to_string(i) + " ";
  }
  life.kill(std::move(stream));
  const auto original = life.folder().string() + "-original";
  fs::copy(life.folder(), original);

  for (int round = 0; round < 150; ++round) {
    fs::remove_all(life.folder());
    fs::copy(original, life.folder());
    life.write_head_again();
    const char* names[] = {"trestle.db", "trestle.db-wal", "trestle.db.head"};
    const auto victim = life.folder() / names[random() % 3];
    const auto size = fs::file_size(victim);
    if (random() % 2 == 0) {
      fs::resize_file(victim, random() % (size + 1));
    } else {
      for (int flips = 0; flips < 4; ++flips) overwrite(victim, random() % size, static_cast<char>(random()));
    }
    stream = life.start();
    const auto past = stream->restore();
    INFO("round " << round << " victim " << victim.filename().string());
    if (*stream->epoch() == epoch) {
      CHECK(texts(past) == all);
      CHECK(stream->head() == 200);
    } else {
      for (const auto& event : past.events)
        CHECK(event->payload == "payload-" + std::to_string(event->offset));
    }
    stream.reset();
  }
  fs::remove_all(original);
}

TEST_CASE("losses are in the journal with the batch, at their place") {
  Life life;
  auto stream = life.start();
  life.append(*stream, "log.a", "1");
  life.lose(*stream, 2);
  life.lose(*stream, 1);
  life.append(*stream, "log.a", "2");
  const auto epoch = *stream->epoch();
  SUBCASE("after an orderly stop") { stream.reset(); }
  SUBCASE("after kill -9") { life.kill(std::move(stream)); }
  stream = life.start();
  CHECK(*stream->epoch() == epoch);
  const auto past = stream->restore();
  CHECK(losses(past) == "1-2@1 3-3@1 ");
  CHECK(past.lost[0].producer == "worker");
  CHECK(past.lost[0].appended > kStart);
}

TEST_CASE("losses leave the journal after a day; the newest of those stays, to tell that some are missing") {
  Life life;
  auto stream = life.start();
  for (int i = 0; i < 3; ++i) life.lose(*stream, 1);
  life.advance(*stream, kDay / 2);
  life.lose(*stream, 1);
  life.advance(*stream, kDay / 2 + 1);
  stream.reset();
  stream = life.start();
  CHECK(losses(stream->restore()) == "3-3@0 4-4@0 ");
  life.advance(*stream, kDay / 2);
  stream.reset();
  stream = life.start();
  CHECK(losses(stream->restore()) == "4-4@0 ");
}

TEST_CASE("a flood of losses keeps the journal bounded") {
  Life life;
  auto stream = life.start();
  std::vector<LostRange> flood(History::kMaxLosses / 2);
  for (int round = 0; round < 6; ++round) {
    for (auto& lost : flood) {
      lost.producer = std::to_string(round);
      lost.appended = kStart;
    }
    stream->append({}, flood, {});
    life.advance(*stream, 1);
  }
  for (int i = 0; i < 10; ++i) life.advance(*stream, 1);  // 4,096 a time
  stream.reset();
  stream = life.start();
  const auto past = stream->restore();
  CHECK(past.lost.size() == History::kMaxLosses + 1);
  CHECK(past.lost.back().producer == "5");
}
