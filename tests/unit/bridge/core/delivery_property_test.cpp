// Does everything that is accepted reach everybody, exactly once, under any schedule? Producers, a lossy way,
// the whole core, its stream with and without a journal, and clients that are cut at any message and come
// back by the cursor rules; all of it held against a simple model.
//
//     TRESTLE_SEED=n    replays one seed        TRESTLE_SEEDS=n    so many seeds instead of one for each
//     stream

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "../scratch_directory.h"
#include "bridge/store/journaled_stream.h"
#include "bridge/store/memory_stream.h"
#include "delivery_bridge.h"
#include "delivery_sources.h"
#include "delivery_watcher.h"

using namespace trestle;
using namespace trestle::delivery;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSteps = 60'000;  // a seed and stream
constexpr std::size_t kClients = 5;
constexpr std::size_t kQueue = 20'000;  // bytes that may wait for a client

const std::vector<std::string> kPatterns = {">",        "few.*",      "few",      "few.1",   "brief.>",
                                            "bulk.1",   "finished.*", "deep.>",   "*.2",     "progress.*",
                                            "progress", "status.*",   "status.1", "flash.>", "$sys.>"};

/// While it lives no file grows: the disk is full.
class FullDisk {
 public:
  explicit FullDisk(bool full) : full_(full) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    if (full_) limit({4'096, before_.rlim_max});  // the head file's few bytes still pass
  }
  ~FullDisk() {
    if (full_) limit(before_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  static void limit(rlimit to) { ::setrlimit(RLIMIT_FSIZE, &to); }
  const bool full_;
  rlimit before_{};
};

/// What the tests' own disturbances would say on the log and to the process.
class Quiet {
 public:
  Quiet() { spdlog::set_level(spdlog::level::off); }
  ~Quiet() {
    spdlog::set_level(level_);
    std::signal(SIGXFSZ, handler_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  const spdlog::level::level_enum level_ = spdlog::get_level();
  void (*const handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

/// What is true of a stream at a moment.
struct Truth {
  Model model;
  Order order;
};

struct Client {
  Watcher watcher;
  std::unique_ptr<Session> session{};
};

struct Seen {
  std::size_t commits = 0, restarts = 0, kills = 0, older = 0, degraded = 0, back = 0, cuts = 0, resumes = 0,
              lost = 0;
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, bool journaled) : chance_(seed), journaled_(journaled), sources_(chance_) {
    start(false);
    for (std::size_t i = 0; i < kClients; ++i) clients_.push_back(Client{Watcher(truth_.model)});
  }
  ~Schedule() { hang_up(); }

  void step() {
    const auto source = chance_.below(Sources::kCount);
    auto& client = clients_[chance_.below(kClients)];
    const bool overloaded = chance_.in(50);
    const auto kind = chance_.below(100);
    if (kind < 20)
      sources_.publish(source, now());
    else if (kind < 25)
      sources_.publish_plain(bridge_->spine, now(), overloaded);
    else if (kind < 45)
      sources_.deliver(source, bridge_->spine, now(), overloaded);
    else if (kind < 50)
      sources_.beat(source, bridge_->spine, now());
    else if (kind < 55)
      pass(milliseconds(1 + chance_.below(60)));
    else if (kind < 93)
      attend(client);
    else if (kind < 97)
      request(client);
    else
      rare(chance_.below(1'000), source, client);
    if (chance_.percent(50)) commit(true);
  }

  /// Everybody speaks and every question is answered until nothing is open.
  void settle() {
    disk_full_ = false;
    for (int round = 0; round < 300; ++round) {
      sources_.speak_up(bridge_->spine, now());
      pass(200ms);
      commit(false);
      for (auto& client : clients_) {
        if (!client.session) connect(client);
        drain(client);
      }
    }
    say(sources_.check_settled(truth_.order));
    for (auto& client : clients_) {
      client.session->beat();
      drain(client);
      if (!client.watcher.settled()) say("a client is not told that all is there");
      if (client.watcher.cursor()->offset != truth_.model.head) say("a client's cursor is not at the head");
    }
  }

  std::string fault() const {
    if (!fault_.empty()) return fault_;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (!clients_[i].watcher.fault().empty())
        return "client " + std::to_string(i) + ": " + clients_[i].watcher.fault();
    }
    return "";
  }
  const Seen& seen() const { return seen_; }
  Watcher::Counts counts() const {
    Watcher::Counts sum;
    for (const auto& client : clients_) {
      const auto& counts = client.watcher.counts;
      sum.events += counts.events;
      sum.replayed += counts.replayed;
      sum.trimmed += counts.trimmed;
      sum.epochs += counts.epochs;
      sum.lost += counts.lost;
    }
    return sum;
  }

 private:
  static ProducerLimits limits() {
    ProducerLimits limits;
    limits.repair.hold_events = 8;
    limits.repair.hold_bytes = 1'500;
    limits.repair.chunk = 5;
    limits.waiting_events = 20;
    return limits;
  }
  Now now() const { return at(std::chrono::duration_cast<milliseconds>(elapsed_)); }
  void say(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }

  // --- the bridge
  void start(bool new_epoch) {
    elapsed_ += 1s;
    sources_.bridge_restarted(now());
    std::unique_ptr<Stream> stream;
    if (journaled_) {
      auto opened = JournaledStream::open({journal(), StreamSettings::Durability::process}, policies_, now());
      REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
      stream = std::move(*opened);
    } else {
      stream = std::make_unique<MemoryStream>(now().wall);
    }
    bridge_ = std::make_unique<Bridge>(policies_, std::move(stream), limits(), now());
    auto& model = truth_.model;
    if (!model.epoch.empty() && (bridge_->shelf.epoch() != model.epoch) != new_epoch) {
      say("the epoch was " + model.epoch + ", and is " + bridge_->shelf.epoch());
    }
    if (bridge_->shelf.head() != model.head) say("the head is " + std::to_string(bridge_->shelf.head()));
    model.epoch = bridge_->shelf.epoch();
    model.restart();
    model.expire(now().wall);
    check_kept();
  }
  fs::path folder() const { return scratch_.file("life-" + std::to_string(lives_)); }
  fs::path journal() {
    fs::create_directories(folder());
    return folder() / "trestle.db";
  }
  void hang_up() {
    for (auto& client : clients_) client.session.reset();
  }

  // An orderly stop, or kill -9, after which the files are what they were at that moment.
  void restart() {
    ++seen_.restarts;
    hang_up();
    const bool killed = chance_.percent(60);
    if (killed && chance_.percent(50)) commit_and_die();
    disk_full_ = false;
    const auto before = folder();
    ++lives_;
    if (journaled_ && killed) fs::copy(before, folder());
    const bool degraded = !bridge_->stream().trouble().empty();
    bridge_.reset();
    if (journaled_ && !killed) fs::copy(before, folder());
    fs::remove_all(before);
    seen_.kills += killed;
    if (!journaled_) {
      truth_ = {};
      return start(true);
    }
    if (degraded) truth_ = good_;
    const bool older = !degraded && backup_ && chance_.percent(20);
    if (older) restore_older();
    write_head_again();
    const bool behind = older && truth_.model.head < told_;
    truth_.model.head = std::max(truth_.model.head, told_);
    start(older && (behind || truth_.model.epoch != told_epoch_));
  }
  // The batch is in the journal, and nobody hears of it.
  void commit_and_die() {
    const FullDisk full(disk_full_);
    if (disk_full_ && bridge_->stream().trouble().empty()) good_ = truth_;
    const auto output = bridge_->spine.commit(now());
    if (output.batch) accept(*output.batch);
  }
  void back_up() {
    if (!journaled_ || !bridge_->stream().trouble().empty() || disk_full_) return;
    const auto place = scratch_.file("backup");
    fs::remove_all(place);
    fs::copy(folder(), place);
    backup_ = truth_;
  }
  void restore_older() {
    ++seen_.older;
    const auto head = folder() / "trestle.db.head";
    fs::rename(head, scratch_.file("head"));
    fs::remove_all(folder());
    fs::copy(scratch_.file("backup"), folder());
    fs::remove(head);
    fs::rename(scratch_.file("head"), head);
    truth_ = *backup_;
    backup_.reset();
  }

  // A head file that was copied or renamed is younger than it says; now it is as the bridge had left it.
  void write_head_again() const {
    const auto head = folder() / "trestle.db.head";
    if (const auto found = HeadFile::find(head); found.head) HeadFile::open(head, false)->write(*found.head);
  }

  void pass(std::chrono::microseconds time) {
    elapsed_ += time;
    const FullDisk full(disk_full_);
    if (disk_full_ && bridge_->stream().trouble().empty()) good_ = truth_;
    const bool degraded = !bridge_->stream().trouble().empty();
    bridge_->spine.tick(now());
    if (degraded && bridge_->stream().trouble().empty()) {
      ++seen_.back;
      truth_.model.floor = told_ = truth_.model.head;
      told_epoch_ = *bridge_->stream().epoch();
    }
    commit(true);
    bridge_->expire(now().wall);
    truth_.model.expire(now().wall);
  }
  void commit(bool lossy) {
    const FullDisk full(disk_full_);
    if (disk_full_ && bridge_->stream().trouble().empty()) good_ = truth_;
    const bool degraded = !bridge_->stream().trouble().empty();
    const auto output = bridge_->spine.commit(now());
    if (!degraded && !bridge_->stream().trouble().empty()) ++seen_.degraded;
    if (output.batch) {
      accept(*output.batch);
      std::vector<Session*> sessions;
      for (auto& client : clients_) {
        if (client.session) sessions.push_back(client.session.get());
      }
      bridge_->apply(*output.batch, sessions);
      check_kept();
    }
    for (const auto& [peer, message] : output.to_producers) say(sources_.check(truth_.order, message));
    sources_.answer(output.to_producers, bridge_->spine, now(), lossy);
  }
  void accept(const Batch& batch) {
    ++seen_.commits;
    auto lost = batch.lost.begin();
    for (std::size_t i = 0; i <= batch.events.size(); ++i) {
      for (; lost != batch.lost.end() && lost->before == i; ++lost) {
        const auto place = i < batch.events.size() ? batch.events[i]->offset - 1 : batch.head;
        if (lost->after != place) say("a loss is not where it happened");
        accept(*lost);
      }
      if (i == batch.events.size()) break;
      const auto& event = batch.events[i];
      if (event->offset <= truth_.model.head) say("an offset is used again");
      if (event->topic.front() != '$') say(sources_.check(truth_.order, *event));
      truth_.model.accept(event);
    }
    if (lost != batch.lost.end()) say("a hole out of order");
    truth_.model.epoch = *batch.epoch;
    if (!batch.degraded) {
      told_ = batch.head;
      told_epoch_ = *batch.epoch;
    }
  }
  void accept(const LostRange& lost) {
    seen_.lost += lost.to - lost.from + 1;
    say(sources_.check(truth_.order, lost, now()));
    truth_.model.lose(lost);
  }
  // The shelf holds what the model keeps, and nothing else.
  void check_kept() {
    const auto& latest = truth_.model.latest();
    const auto& events = bridge_->shelf.snapshot().events();
    if (events.size() != latest.size()) {
      std::string extra;
      for (const auto& [offset, event] : events)
        extra += latest.count(event->topic) == 0 ? " " + event->topic : "";
      say("the snapshot has " + std::to_string(events.size()) + " topics, not " +
          std::to_string(latest.size()) + (extra.empty() ? "" : "; no longer:" + extra));
    }
    for (const auto& [offset, event] : events) {
      const auto expected = latest.find(event->topic);
      if (expected == latest.end() || expected->second->offset != offset)
        say("the snapshot has a wrong " + event->topic);
    }
    if (bridge_->shelf.history().size() != truth_.model.kept_logs()) {
      say("the history has " + std::to_string(bridge_->shelf.history().size()) + " events, not " +
          std::to_string(truth_.model.kept_logs()));
    }
  }

  // --- clients
  Subscription some_patterns() {
    Subscription wanted;
    wanted.form = Form::meta;
    for (auto count = 1 + chance_.below(3); count > 0; --count) wanted.add(a_pattern());
    return wanted;
  }
  Pattern a_pattern() { return *Pattern::parse(kPatterns[chance_.below(kPatterns.size())]); }

  // Its socket takes something, and it reads something.
  void attend(Client& client) {
    if (!client.session) return;
    if (chance_.percent(60)) client.session->turn();
    for (auto count = chance_.below(6); count > 0; --count) read(client);
    if (client.session->waiting() > kQueue) client.session.reset();
  }
  bool read(Client& client) {
    const auto text = client.session->read();
    if (text) client.watcher.take(Message(*text));
    return text.has_value();
  }
  void drain(Client& client) {
    while (!client.session->idle()) {
      client.session->turn();
      while (read(client)) {
      }
    }
  }
  void request(Client& client) {
    if (!client.session) return connect(client);
    auto& watcher = client.watcher;
    switch (chance_.below(12)) {
      case 0:
      case 1:
        ++seen_.cuts;
        client.session.reset();
        break;
      case 2:
      case 3:
        if (client.session->can_ask()) subscribe(client, {a_pattern(), a_pattern()}, some_cursor(watcher));
        break;
      case 4:
        if (watcher.wish().topics.size() > 1) {
          const auto given_up = watcher.wish().topics[chance_.below(watcher.wish().topics.size())];
          watcher.gives_up(given_up);
          client.session->unsubscribe(given_up);
        }
        break;
      default: client.session->beat();
    }
  }
  std::optional<Cursor> some_cursor(const Watcher& watcher) {
    const auto& model = truth_.model;
    switch (chance_.below(8)) {
      case 0: return std::nullopt;
      case 1: return Cursor{"", 0};
      case 2: return Cursor{model.epoch, model.head + 5};
      case 3: return Cursor{"12345", chance_.below(1'000)};
      case 4: return Cursor{model.epoch, model.head - std::min<Offset>(model.head, chance_.below(300))};
      default: return watcher.cursor();
    }
  }
  void subscribe(Client& client, const std::vector<Pattern>& patterns, const std::optional<Cursor>& since) {
    client.watcher.asks(patterns, since);
    client.session->subscribe(patterns, since);
  }
  // Mostly it goes on where it was, and asks again for what it had not got.
  void connect(Client& client) {
    auto& watcher = client.watcher;
    client.session = std::make_unique<Session>(bridge_->shelf, bridge_->groups, 1'000 + chance_.below(4'000),
                                               1 + chance_.below(1'500));
    const bool goes_on = !watcher.wish().topics.empty() && chance_.percent(85);
    const auto wanted = goes_on ? watcher.held() : some_patterns();
    const auto since = goes_on ? watcher.cursor() : some_cursor(watcher);
    const auto pending = watcher.asked();
    const bool was_live = watcher.live();
    seen_.resumes += since.has_value();
    watcher.connects(wanted, since);
    client.session->open(wanted, since);
    if (!goes_on) return;
    for (std::size_t i = was_live ? 0 : 1; i < pending.size(); ++i)
      subscribe(client, pending[i].added, pending[i].since);
  }

  void rare(std::size_t kind, std::size_t source, Client& client) {
    if (kind < 15)
      restart();
    else if (kind < 25)
      sources_.restart(source);
    else if (kind < 35)
      sources_.be_quiet(source, at(std::chrono::duration_cast<milliseconds>(elapsed_) +
                                   milliseconds(chance_.below(90'000))));
    else if (kind < 45)
      pass(milliseconds(chance_.below(70'000)));
    else if (kind < 48)
      pass(std::chrono::minutes(chance_.below(120)));
    else if (kind < 49)
      pass(std::chrono::hours(chance_.below(30)));
    else if (kind < 70)
      back_up();
    else if (kind < 100)
      disk_full_ = journaled_ && !disk_full_;
    else if (kind < 200)
      sources_.forget_oldest(source);
    else
      attend(client);
  }

  Chance chance_;
  const bool journaled_;
  const PolicyTable policies_{policies()};
  const ScratchDirectory scratch_;
  std::chrono::microseconds elapsed_{0};
  Sources sources_;
  Truth truth_;
  Truth good_;                   // what the journal knew before the disk was full
  std::optional<Truth> backup_;  // what a copy of the journal knows
  Offset told_ = 0;              // the head that the head file tells of, and its epoch
  std::string told_epoch_;
  std::uint64_t lives_ = 0;
  bool disk_full_ = false;
  std::unique_ptr<Bridge> bridge_;
  std::deque<Client> clients_;
  Seen seen_;
  std::string fault_;
};

std::vector<std::uint64_t> seeds() {
  if (const char* given = std::getenv("TRESTLE_SEED")) return {std::strtoull(given, nullptr, 10)};
  const char* count = std::getenv("TRESTLE_SEEDS");
  std::vector<std::uint64_t> all(count == nullptr ? 3 : std::strtoull(count, nullptr, 10));
  for (auto& seed : all) seed = std::random_device{}();
  return all;
}

void run(std::uint64_t seed, bool journaled) {
  const Quiet quiet;
  CAPTURE("replay with TRESTLE_SEED=" + std::to_string(seed));
  Schedule schedule(seed, journaled);
  std::size_t step = 0;
  while (step < kSteps && schedule.fault().empty()) {
    schedule.step();
    ++step;
  }
  CAPTURE(step);
  REQUIRE(schedule.fault() == "");
  schedule.settle();
  REQUIRE(schedule.fault() == "");
  // The schedule was worth running.
  const auto seen = schedule.seen();
  const auto counts = schedule.counts();
  CHECK(counts.events > kSteps / 10);
  CHECK(counts.replayed > 0);
  CHECK(counts.trimmed > 0);
  CHECK(counts.epochs > 0);
  CHECK(counts.lost > 0);
  CHECK(seen.cuts > 0);
  CHECK(seen.restarts > 0);
  CHECK(seen.lost > 0);
  if (std::getenv("TRESTLE_SEED") != nullptr) {
    MESSAGE(counts.events << " events, " << counts.replayed << " replayed, " << counts.trimmed << " trimmed, "
                          << counts.epochs << " epochs, " << seen.commits << " commits, " << seen.restarts
                          << " restarts, " << seen.kills << " kills, " << seen.older << " older, "
                          << seen.degraded << " degraded, " << seen.back << " back, " << seen.cuts
                          << " cuts, " << seen.resumes << " resumes, " << seen.lost << " lost");
  }
}

}  // namespace

TEST_CASE(
    "whatever the schedule, everything that a stream in memory accepts is delivered once, or a gap names "
    "it") {
  for (const auto seed : seeds()) run(seed, false);
}

TEST_CASE(
    "whatever the schedule, everything that a journaled stream accepts is delivered once, or a gap names "
    "it") {
  for (const auto seed : seeds()) run(seed, true);
}
