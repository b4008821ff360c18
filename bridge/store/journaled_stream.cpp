#include "bridge/store/journaled_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bridge/log/log.h"

namespace trestle {
namespace {

constexpr std::chrono::seconds kTryAgain{1};
constexpr Offset kTrimStep = 4'096;                   // offsets looked at per policy and batch
constexpr std::size_t kRoomNeeded = 4 * 1024 * 1024;  // before a new journal is tried

// True if that much can be written and reaches the disk; the file is gone again afterwards.
bool has_room(const std::filesystem::path& beside) {
  const auto path = beside.string() + ".probe";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool room = ::posix_fallocate(fd, 0, kRoomNeeded) == 0 && ::fsync(fd) == 0;
  ::close(fd);
  ::unlink(path.c_str());
  return room;
}

std::uint64_t number_of(const std::string& epoch) { return std::strtoull(epoch.c_str(), nullptr, 10); }

}  // namespace

JournaledStream::JournaledStream(const StreamSettings& settings, const PolicyTable& policies)
    : settings_(settings),
      policies_(policies),
      snapshot_(policies),
      history_(policies),
      trimmed_(policies.all().size(), 0) {
  snapshot_.on_gone([this](const std::string& topic) { gone_topics_.push_back(topic); });
}

Result<std::unique_ptr<JournaledStream>> JournaledStream::open(const StreamSettings& settings,
                                                               const PolicyTable& policies, Now now) {
  std::unique_ptr<JournaledStream> stream(new JournaledStream(settings, policies));
  if (auto started = stream->start(now); !started) return started.error();
  return stream;
}

JournaledStream::~JournaledStream() {
  if (!journal_) return;
  try {
    journal_->checkpoint();
  } catch (const JournalError& error) {
    log::warning("the journal was not tidied up", {{"error", error.what()}});
    return;
  }
  write_head(true);
}

Result<std::monostate> JournaledStream::start(Now now) {
  wall_ = now.wall;
  new_epoch(now.wall);
  if (auto opened = open_journal(now.wall); !opened) return opened;
  auto head_file = HeadFile::open(settings_.path.string() + ".head",
                                  settings_.durability == StreamSettings::Durability::power);
  if (!head_file) return head_file.error();
  head_file_.emplace(std::move(*head_file));
  choose_epoch(now.wall);
  try {
    journal_->begin();
    journal_->commit(*epoch_, head_);
  } catch (const JournalError& error) {
    return Error{"cannot write the journal " + settings_.path.string() + ": " + error.what()};
  }
  if (!write_head(false)) return Error{"cannot write " + settings_.path.string() + ".head"};
  return std::monostate{};
}

// Opens and reads the file; a damaged one is set aside, and the second try makes a new one.
Result<std::monostate> JournaledStream::open_journal(Micros wall) {
  for (int attempt = 0;; ++attempt) {
    try {
      auto journal = Journal::open(settings_.path, settings_.durability, fresh_meta());
      if (!journal) return journal.error();
      journal_ = std::move(*journal);
      load();
      return std::monostate{};
    } catch (const JournalError& error) {
      journal_.reset();
      if (attempt > 0 || !error.damaged) {
        return Error{"cannot use the journal " + settings_.path.string() + ": " + error.what()};
      }
      set_aside(wall, error.what());
    }
  }
}

void JournaledStream::load() {
  past_ = journal_->read(policies_);
  head_ = journal_->meta().head;
  trimmed_.assign(trimmed_.size(), head_);
  for (const auto& event : past_.events) {
    snapshot_.apply(event);
    history_.apply(event);
    auto& trimmed = trimmed_[static_cast<std::size_t>(event->policy - policies_.all().data())];
    trimmed = std::min(trimmed, event->offset - 1);
  }
  for (const auto& mark : past_.producers) marks_[mark.id] = mark;
}

// Keeps the journal's epoch if nothing that a client may have seen can be missing.
void JournaledStream::choose_epoch(Micros wall) {
  const auto& meta = journal_->meta();
  const auto told = head_file_->read();
  std::string why;
  if (!told) {
    why = meta.head == 0 ? "" : "its head file is missing or damaged";
  } else if (told->epoch != meta.epoch) {
    why = "the head file is of another epoch";
  } else if (told->offset > meta.head) {
    why = "it ends at offset " + std::to_string(meta.head) + ", but " + std::to_string(told->offset) +
          " was delivered";
  } else if (!told->clean && told->boot != boot_ &&
             settings_.durability == StreamSettings::Durability::process) {
    why = "the machine was restarted without an orderly stop, under durability: process";
  }
  if (why.empty()) {
    epoch_ = std::make_shared<const std::string>(meta.epoch);
    return;
  }
  if (told) head_ = std::max(head_, told->offset);
  const auto before = std::max(number_of(meta.epoch), told ? number_of(told->epoch) : 0);
  new_epoch(std::max(wall, static_cast<Micros>(before) + 1));
  log::warning("new epoch: the journal may miss events that clients have seen",
               {{"journal", settings_.path.string()}, {"why", why}, {"epoch", *epoch_}});
}

void JournaledStream::new_epoch(Micros wall) {
  const auto before = epoch_ ? static_cast<Micros>(number_of(*epoch_)) : 0;
  epoch_ = std::make_shared<const std::string>(std::to_string(std::max(wall, before + 1)));
}

void JournaledStream::set_aside(Micros wall, const std::string& why) {
  const auto aside = settings_.path.string() + ".aside-" + std::to_string(wall);
  std::error_code ignored;
  std::filesystem::rename(settings_.path, aside, ignored);
  std::filesystem::rename(settings_.path.string() + "-wal", aside + "-wal", ignored);
  std::filesystem::remove(settings_.path.string() + "-shm", ignored);
  log::error("the journal is set aside, a new one starts in a new epoch",
             {{"journal", settings_.path.string()}, {"why", why}, {"aside", aside}});
}

void JournaledStream::append(const std::vector<std::shared_ptr<Event>>& events,
                             const std::vector<ProducerMark>& marks) {
  for (const auto& mark : marks) marks_[mark.id] = mark;
  for (const auto& event : events) event->offset = ++head_;
  const auto steps = track(events);
  if (!journal_) return gone_topics_.clear();
  try {
    keep(events, steps, marks);
  } catch (const JournalError& error) {
    journal_->rollback();
    return degrade(error.what());
  }
  if (!write_head(false)) degrade("the head file cannot be written");
}

std::vector<JournaledStream::Step> JournaledStream::track(const std::vector<std::shared_ptr<Event>>& events) {
  std::vector<Step> steps(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (journal_) history_.apply(events[i]);
    steps[i].latest = snapshot_.apply(events[i]);
    steps[i].gone = std::exchange(gone_topics_, {});
  }
  return steps;
}

void JournaledStream::keep(const std::vector<std::shared_ptr<Event>>& events, const std::vector<Step>& steps,
                           const std::vector<ProducerMark>& marks) {
  journal_->begin();
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (const auto& topic : steps[i].gone) journal_->erase_latest(topic);
    if (events[i]->policy->keep == Keep::log) journal_->put_log(*events[i]);
    if (steps[i].latest != Snapshot::Change::none) {
      journal_->put_latest(*events[i], steps[i].latest == Snapshot::Change::added);
    }
  }
  for (const auto& topic : std::exchange(gone_topics_, {})) journal_->erase_latest(topic);
  for (const auto& mark : marks) journal_->put_producer(mark);
  trim_a_little();
  journal_->commit(*epoch_, head_);
}

// Every batch deletes some of what the policies let go of, so no one waits for a large deletion.
void JournaledStream::trim_a_little() {
  for (std::size_t i = 0; i < trimmed_.size(); ++i) {
    if (trimmed_[i] >= history_.trimmed(i)) continue;
    const auto up_to = std::min(history_.trimmed(i), trimmed_[i] + kTrimStep);
    journal_->trim_log(policies_.all()[i], trimmed_[i], up_to);
    trimmed_[i] = up_to;
  }
}

bool JournaledStream::has_trimming() const {
  for (std::size_t i = 0; i < trimmed_.size(); ++i) {
    if (trimmed_[i] < history_.trimmed(i)) return true;
  }
  return false;
}

void JournaledStream::tick(Now now) {
  wall_ = now.wall;
  history_.expire(now.wall);
  snapshot_.expire(now.wall);
  if (!journal_) return try_again(now);
  if (!gone_topics_.empty() || has_trimming()) append({}, {});
}

bool JournaledStream::write_head(bool clean) { return head_file_->write({*epoch_, head_, boot_, clean}); }

// The events of the failed batch were never delivered in the old epoch, so the new one may give their offsets
// to them.
void JournaledStream::degrade(const std::string& why) {
  journal_.reset();
  trouble_ = why;
  new_epoch(wall_);
  log::error("degraded: nothing is kept, delivery goes on in memory",
             {{"journal", settings_.path.string()}, {"why", why}, {"epoch", *epoch_}});
}

void JournaledStream::try_again(Now now) {
  if (now.steady - tried_at_ < kTryAgain) return;
  tried_at_ = now.steady;
  if (!has_room(settings_.path)) return;
  set_aside(now.wall, trouble_);
  new_epoch(now.wall);
  try {
    auto journal = Journal::open(settings_.path, settings_.durability, fresh_meta());
    if (!journal) return;
    journal_ = std::move(*journal);
    journal_->begin();
    for (const auto& [id, mark] : marks_) journal_->put_producer(mark);
    for (const auto& [offset, event] : snapshot_.events()) journal_->put_latest(*event, true);
    journal_->commit(*epoch_, head_);
  } catch (const JournalError& error) {
    journal_.reset();
    return;
  }
  gone_topics_.clear();
  history_ = History(policies_);
  trimmed_.assign(trimmed_.size(), head_);
  history_.forget_up_to(head_);
  if (!write_head(false)) return degrade("the head file cannot be written");
  trouble_.clear();
  log::info("the journal is back", {{"journal", settings_.path.string()}, {"epoch", *epoch_}});
}

}  // namespace trestle
