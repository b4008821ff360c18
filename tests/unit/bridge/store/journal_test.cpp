#include "bridge/store/journal.h"

#include <doctest/doctest.h>

#include "bridge/store/journal_schema.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
using Kind = JournalError::Kind;

namespace {

constexpr auto kProcess = StreamSettings::Durability::process;

// A journal with three events, `latest` one of them, two losses, and two producers; closed in order.
class Kept {
 public:
  Kept() {
    auto journal = open();
    journal->begin();
    for (const Offset offset : {1, 2}) journal->put_log(event(offset, "log.a"));
    journal->put_latest(event(3, "queue-update"), true);
    journal->put_lost({"worker", 3, 5, 0, 1, 77});
    journal->put_lost({"worker", 9, 9, 0, 2, 78});
    journal->put_producer({"worker", 7, 12, 14, ProducerMark::State::current});
    journal->put_producer({"worker", 6, 99, 99, ProducerMark::State::superseded});
    journal->put_missing("few", 2);
    journal->put_ending("progress.1", 5'000);
    journal->commit("1000", 3);
    journal->finish();
  }
  Event event(Offset offset, const std::string& topic) const {
    Event made;
    made.offset = offset;
    made.topic = topic;
    made.payload = std::to_string(offset);
    made.policy = &policies_.find(topic);
    return made;
  }
  std::unique_ptr<Journal> open() const {
    auto journal = Journal::open(folder_.file("trestle.db"), kProcess, {"1000", 0, 0, 0, 0});
    REQUIRE_MESSAGE(journal.has_value(), (journal ? "" : journal.error().message));
    return std::move(*journal);
  }
  // What somebody does to the file while no trestled runs.
  void change(const std::string& sql) const {
    Database database(folder_.file("trestle.db"));
    database.execute(sql);
    database.checkpoint();
    database.tidy_on_close();
  }
  std::string why_damaged() const {
    try {
      open()->read(policies_);
    } catch (const JournalError& error) {
      CHECK(error.kind == Kind::damage);
      return error.what();
    }
    return "";
  }
  Past read() const { return open()->read(policies_); }

 private:
  ScratchDirectory folder_;
  PolicyTable policies_{std::vector<Policy>{}};
};

}  // namespace

TEST_CASE("a journal is read as it was written") {
  const Kept kept;
  const auto past = kept.read();
  REQUIRE(past.events.size() == 3);
  CHECK(past.events[2]->topic == "queue-update");
  REQUIRE(past.producers.size() == 2);
  CHECK(past.producers[0].known == 14);
  CHECK(past.producers[1].state == ProducerMark::State::superseded);
  REQUIRE(past.lost.size() == 2);
  CHECK(past.lost[0].producer == "worker");
  CHECK(past.lost[0].from == 3);
  CHECK(past.lost[0].to == 5);
  CHECK(past.lost[0].after == 1);
  CHECK(past.lost[0].appended == 77);
  CHECK(past.lost[1].after == 2);
}

TEST_CASE("the oldest losses leave first") {
  const Kept kept;
  {
    auto journal = kept.open();
    journal->begin();
    journal->trim_lost(1);
    journal->commit("1000", 3);
    journal->finish();
  }
  const auto past = kept.read();
  REQUIRE(past.lost.size() == 1);
  CHECK(past.lost[0].from == 9);
}

TEST_CASE("every change that trestled did not make is noticed") {
  const Kept kept;
  SUBCASE("an event") { kept.change("UPDATE log SET payload = 'x' WHERE offset = 2"); }
  SUBCASE("its place") { kept.change("UPDATE log SET offset = 9 WHERE offset = 2"); }
  SUBCASE("its time") { kept.change("UPDATE latest SET time = time + 1"); }
  SUBCASE("how far a producer is") { kept.change("UPDATE producers SET have = 13 WHERE epoch = 7"); }
  SUBCASE("which life of a producer is the current one") { kept.change("UPDATE producers SET state = 0"); }
  SUBCASE("a producer that vanishes") { kept.change("DELETE FROM producers WHERE epoch = 6"); }
  SUBCASE("an event that vanishes") { kept.change("DELETE FROM log WHERE offset = 1"); }
  SUBCASE("a loss") { kept.change("UPDATE lost SET seq_to = 6 WHERE seq_from = 3"); }
  SUBCASE("whose it is") { kept.change("UPDATE lost SET producer = 'other' WHERE seq_from = 3"); }
  SUBCASE("its place in the stream") { kept.change("UPDATE lost SET place = 2 WHERE seq_from = 3"); }
  SUBCASE("a loss that vanishes") { kept.change("DELETE FROM lost WHERE seq_from = 3"); }
  SUBCASE("losses that changed places") { kept.change("UPDATE lost SET id = 9 WHERE seq_from = 3"); }
  SUBCASE("what may be missing") { kept.change("UPDATE missing SET up_to = 1"); }
  SUBCASE("of which policy") { kept.change("UPDATE missing SET claim = 'many'"); }
  SUBCASE("what may be missing, vanished") { kept.change("DELETE FROM missing"); }
  SUBCASE("until when a topic is ended") { kept.change("UPDATE endings SET until = 4"); }
  SUBCASE("an ending that vanishes") { kept.change("DELETE FROM endings"); }
  SUBCASE("the head") { kept.change("UPDATE meta SET head = 4"); }
  SUBCASE("the epoch") { kept.change("UPDATE meta SET epoch = '1001'"); }
  SUBCASE("the floor") { kept.change("UPDATE meta SET floor = 1"); }
  SUBCASE("no head at all") { kept.change("DELETE FROM meta"); }
  SUBCASE("no version") { kept.change("PRAGMA user_version = 0"); }
  SUBCASE("a version with a byte of nonsense") { kept.change("PRAGMA user_version = 65538"); }
  CHECK(kept.why_damaged() != "");
}

TEST_CASE("an ending is renewed, and over") {
  const Kept kept;
  const auto endings = [&](const std::optional<Micros>& until) {
    auto journal = kept.open();
    journal->begin();
    journal->put_ending("progress.1", until);
    journal->put_ending("progress.2", std::nullopt);
    journal->commit("1000", 3);
    journal->finish();
    journal.reset();
    std::string text;
    for (const auto& ending : kept.read().endings) text += ending.topic + "@" + std::to_string(ending.until);
    return text;
  };
  CHECK(endings(6'000) == "progress.1@6000");
  CHECK(endings(std::nullopt) == "");
}

TEST_CASE("a row that stands in another's place, sound in itself, is noticed") {
  const Kept kept;
  kept.change("CREATE TABLE older AS SELECT * FROM log WHERE offset = 1");
  {
    auto journal = kept.open();
    journal->begin();
    journal->trim_log(*kept.event(1, "log.a").policy, 0, 1);
    journal->put_log(kept.event(4, "log.a"));
    journal->commit("1000", 4);
    journal->finish();
  }
  CHECK(kept.why_damaged() == "");
  kept.change("INSERT INTO log SELECT * FROM older; DELETE FROM log WHERE offset = 4");
  CHECK(kept.why_damaged() == "parts of it are older or newer than the rest");
}

TEST_CASE("a journal of version 1 is brought up to this version, whole") {
  const Kept kept;
  kept.change(
      "CREATE TABLE meta_1(id INTEGER PRIMARY KEY CHECK(id = 1), epoch TEXT NOT NULL, head INTEGER NOT NULL, "
      "  floor INTEGER NOT NULL, rows INTEGER NOT NULL);"
      "INSERT INTO meta_1 SELECT id, epoch, head, floor, 3 FROM meta; DROP TABLE meta;"
      "ALTER TABLE meta_1 RENAME TO meta;"
      "CREATE TABLE producers_1(id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, have INTEGER NOT NULL);"
      "INSERT INTO producers_1 SELECT id, epoch, have FROM producers WHERE state = 0; DROP TABLE "
      "producers;"
      "ALTER TABLE producers_1 RENAME TO producers;"
      "DROP TABLE lost; DROP TABLE missing; DROP TABLE endings; PRAGMA application_id = 0; PRAGMA "
      "user_version = 1");
  for (int start = 0; start < 2; ++start) {
    const auto past = kept.read();
    CHECK(past.events.size() == 3);
    REQUIRE(past.producers.size() == 1);
    CHECK(past.producers[0].epoch == 7);
    CHECK(past.producers[0].have == 12);
    CHECK(past.missing.back() == 3);  // who knows what was trimmed
    CHECK(kept.open()->meta().head == 3);
  }
}

TEST_CASE("a journal of version 3 is brought up to this version, whole") {
  const Kept kept;
  kept.change("ALTER TABLE producers RENAME COLUMN state TO superseded; PRAGMA user_version = 3");
  for (int start = 0; start < 2; ++start) {
    const auto past = kept.read();
    CHECK(past.events.size() == 3);
    CHECK(past.lost.size() == 2);
    REQUIRE(past.producers.size() == 2);
    CHECK(past.producers[0].state == ProducerMark::State::current);
    CHECK(past.producers[1].state == ProducerMark::State::superseded);
  }
  auto journal = kept.open();
  journal->begin();
  journal->put_producer({"worker", 7, 12, 14, ProducerMark::State::left});
  journal->commit("1000", 3);
  journal->finish();
  journal.reset();
  CHECK(kept.read().producers[1].state == ProducerMark::State::left);
}

// What version 2 wrote, byte for byte: it had no losses, and knew nothing of what was trimmed or ended.
TEST_CASE("a journal of version 2 is brought up to this version, whole") {
  const Kept kept;
  {
    auto journal = kept.open();
    journal->begin();
    journal->trim_lost(2);
    journal->put_missing("few", std::nullopt);
    journal->put_ending("progress.1", std::nullopt);
    journal->commit("1000", 3);
    journal->finish();
  }
  kept.change(
      "DROP TABLE lost; DROP TABLE missing; DROP TABLE endings; "
      "ALTER TABLE producers RENAME COLUMN state TO superseded; PRAGMA user_version = 2");
  SUBCASE("sound") {
    for (int start = 0; start < 2; ++start) {
      const auto past = kept.read();
      CHECK(past.events.size() == 3);
      CHECK(past.producers.size() == 2);
      CHECK(past.lost.empty());
      CHECK(past.missing.back() == 3);  // who knows what was trimmed
      CHECK(kept.open()->meta().head == 3);
      CHECK(kept.open()->meta().epoch == "1000");
    }
    auto journal = kept.open();
    journal->begin();
    journal->put_lost({"worker", 20, 21, 0, 3, 79});
    journal->commit("1000", 3);
    journal->finish();
    journal.reset();
    CHECK(kept.read().lost.size() == 1);
  }
  SUBCASE("or what is wrong with it is noticed") {
    kept.change("UPDATE meta SET head = 4");
    CHECK(kept.why_damaged() == "its head is missing or is not what was written");
  }
}
