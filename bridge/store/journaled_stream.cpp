#include "bridge/store/journaled_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "bridge/log/log.h"
#include "bridge/store/private_file.h"

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

// A new journal that did not come to be: nobody has been told of its epoch.
void remove_journal(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal"}) ::unlink((path.string() + suffix).c_str());
}

std::vector<std::string> claims_of(const PolicyTable& policies) {
  std::vector<std::string> claims;
  for (const auto& policy : policies.all())
    claims.push_back(policy.keep == Keep::log ? policies.claim(policy) : "");
  return claims;
}

std::filesystem::path head_path_of(const std::filesystem::path& journal) {
  return journal.string() + ".head";
}

std::uint64_t number_of(const std::string& epoch) { return std::strtoull(epoch.c_str(), nullptr, 10); }

}  // namespace

JournaledStream::JournaledStream(const StreamSettings& settings, const PolicyTable& policies)
    : settings_(settings),
      policies_(policies),
      snapshot_(policies),
      history_(policies),
      trimmed_(policies.all().size(), 0),
      claims_(claims_of(policies)),
      missing_(policies.all().size(), 0) {
  snapshot_.on_gone([this](const std::string& topic) { gone_topics_.push_back(topic); });
  snapshot_.on_ending([this](const std::string& topic) { ending_changes_.insert(topic); });
}

Result<std::unique_ptr<JournaledStream>> JournaledStream::open(const StreamSettings& settings,
                                                               const PolicyTable& policies, Now now) {
  std::unique_ptr<JournaledStream> stream(new JournaledStream(settings, policies));
  stream->wall_ = now.wall;
  if (auto started = stream->start(); !started) return started.error();
  return stream;
}

std::optional<Error> JournaledStream::find_fault(const StreamSettings& settings) {
  if (auto error = Journal::find_fault(settings.path)) return error;
  const auto head = head_path_of(settings.path);
  std::error_code unknown;
  if (!std::filesystem::exists(head, unknown)) return std::nullopt;
  const auto fault = fault_of_own_file(head);
  return fault ? std::optional<Error>(Error{"cannot open " + head.string() + ": " + *fault}) : std::nullopt;
}

JournaledStream::~JournaledStream() {
  if (!journal_) return;
  try {
    journal_->finish();
  } catch (const JournalError& error) {
    log::warning("the journal was not tidied up", {{"error", error.what()}});
    return;
  }
  write_head(true);
}

Result<std::monostate> JournaledStream::start() {
  told_ = HeadFile::find(head_path());
  new_epoch();
  try {
    if (auto opened = open_files(); !opened) return opened;
    if (!write_head(false)) degrade("the head file cannot be written");
  } catch (const JournalError& error) {
    // Full, or failing. What could be read is served; what is new waits for the disk to come back.
    if (told_.head) head_ = std::max(head_, told_.head->offset);
    degrade(error.what());
  }
  return std::monostate{};
}

std::filesystem::path JournaledStream::head_path() const { return head_path_of(settings_.path); }

Result<std::monostate> JournaledStream::open_files() {
  for (int attempt = 0;; ++attempt) {
    try {
      if (auto opened = open_journal(); !opened) return opened;
      break;
    } catch (const JournalError& error) {
      if (error.kind != JournalError::Kind::damage) {
        if (journal_) load();  // what could be read
        throw;
      }
      journal_.reset();
      if (attempt > 0 || !set_aside(error.what())) {
        return Error{"cannot use the journal " + settings_.path.string() + ": " + error.what()};
      }
    }
  }
  load();
  choose_epoch();
  journal_->begin();
  journal_->commit(*epoch_, head_);
  return std::monostate{};
}

// Opens and reads the file, and writes to it: damage should show now.
Result<std::monostate> JournaledStream::open_journal() {
  auto journal = Journal::open(settings_.path, settings_.durability, fresh_meta());
  if (!journal) return journal.error();
  auto head_file = HeadFile::open(head_path(), settings_.durability == StreamSettings::Durability::power);
  if (!head_file) return head_file.error();
  head_file_.emplace(std::move(*head_file));
  journal_ = std::move(*journal);
  past_ = journal_->read(policies_);
  journal_->begin();
  journal_->commit(journal_->meta().epoch, journal_->meta().head);
  return std::monostate{};
}

void JournaledStream::load() {
  head_ = journal_->meta().head;
  trimmed_.assign(trimmed_.size(), head_);
  missing_ = past_.missing;
  history_.restore_missing(missing_);
  snapshot_.restore(past_.endings);
  for (const auto& event : past_.events) {
    snapshot_.apply(event);
    history_.apply(event);
    auto& trimmed = trimmed_[static_cast<std::size_t>(event->policy - policies_.all().data())];
    trimmed = std::min(trimmed, event->offset - 1);
  }
  for (const auto& lost : past_.lost) history_.apply(lost);
  for (const auto& mark : past_.producers) remember(mark);
}

// Why events that a client may have seen may be missing; empty if they can't.
std::string JournaledStream::doubt() const {
  const auto& meta = journal_->meta();
  if (!told_.head) return meta.head == 0 ? "" : told_.doubt;
  const auto& told = *told_.head;
  if (meta.head == 0 && told.offset > 0)
    return "the journal is new, but offset " + std::to_string(told.offset) + " was delivered";
  if (told.epoch != meta.epoch) return "the head file " + head_path().string() + " is of another epoch";
  if (told.offset > meta.head) {
    return "the journal ends at offset " + std::to_string(meta.head) + ", but " +
           std::to_string(told.offset) + " was delivered";
  }
  if (!told_.doubt.empty()) return told_.doubt;
  if (!told.clean && told.boot != boot_ && settings_.durability == StreamSettings::Durability::process)
    return "the machine was restarted without an orderly stop, under durability: process";
  return "";
}

void JournaledStream::choose_epoch() {
  const auto& meta = journal_->meta();
  const auto why = doubt();
  if (why.empty()) {
    epoch_ = std::make_shared<const std::string>(meta.epoch);
    return;
  }
  if (told_.head) head_ = std::max(head_, told_.head->offset);
  epoch_ = std::make_shared<const std::string>(
      std::to_string(std::max(number_of(meta.epoch), number_of(*epoch_))));
  new_epoch();
  log::warning("new epoch: the journal may miss events that clients have seen",
               {{"journal", settings_.path.string()}, {"why", why}, {"epoch", *epoch_}});
}

// Later than any before it, whatever the clock says.
void JournaledStream::new_epoch() {
  auto before = epoch_ ? number_of(*epoch_) : 0;
  if (told_.head) before = std::max(before, number_of(told_.head->epoch));
  const auto next = std::max(static_cast<std::uint64_t>(wall_), before + 1);
  epoch_ = std::make_shared<const std::string>(std::to_string(next));
}

// False if it cannot be moved, and so must not be opened either.
bool JournaledStream::set_aside(const std::string& why) {
  const auto aside = settings_.path.string() + ".aside-" + std::to_string(wall_);
  const auto move = [&](const std::string& suffix) {
    return std::rename((settings_.path.string() + suffix).c_str(), (aside + suffix).c_str()) == 0 ||
           errno == ENOENT;
  };
  if (!move("") || !move("-wal")) return false;
  log::error("the journal is set aside, a new one starts in a new epoch",
             {{"journal", settings_.path.string()}, {"why", why}, {"aside", aside}});
  return true;
}

void JournaledStream::append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
                             const std::vector<ProducerMark>& marks) {
  for (const auto& mark : marks) remember(mark);
  for (const auto& event : events) event->offset = ++head_;
  place(lost, events, head_);
  const auto steps = track(events);
  for (const auto& range : lost) history_.apply(range);
  if (!journal_) {
    ending_changes_.clear();
    return gone_topics_.clear();
  }
  try {
    keep(events, steps, lost, marks);
  } catch (const JournalError& error) {
    journal_->rollback();
    return degrade(error.what());
  }
  if (!write_head(false)) degrade("the head file cannot be written");
}

void JournaledStream::remember(const ProducerMark& mark) {
  if (mark.state == ProducerMark::State::forgotten) {
    marks_.erase({mark.id, mark.epoch});
  } else {
    marks_[{mark.id, mark.epoch}] = mark;
  }
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
                           const std::vector<LostRange>& lost, const std::vector<ProducerMark>& marks) {
  journal_->begin();
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (const auto& topic : steps[i].gone) journal_->erase_latest(topic);
    if (events[i]->policy->keep == Keep::log) journal_->put_log(*events[i]);
    if (steps[i].latest != Snapshot::Change::none) {
      journal_->put_latest(*events[i], steps[i].latest == Snapshot::Change::added);
    }
  }
  for (const auto& topic : std::exchange(gone_topics_, {})) journal_->erase_latest(topic);
  for (const auto& range : lost) journal_->put_lost(range);
  for (const auto& topic : std::exchange(ending_changes_, {}))
    journal_->put_ending(topic, snapshot_.ended_until(topic));
  for (const auto& mark : marks) journal_->put_producer(mark);
  trim_a_little();
  keep_missing();
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
  const auto losses = std::min<std::uint64_t>(losses_to_trim(), kTrimStep);
  if (losses == 0) return;
  journal_->trim_lost(losses);
  losses_trimmed_ += losses;
}

// The newest that has left stays in the file: so the next start knows that one has.
std::uint64_t JournaledStream::losses_to_trim() const {
  return history_.first_loss() - std::min(history_.first_loss(), losses_trimmed_ + 1);
}

void JournaledStream::keep_missing() {
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    if (claims_[i].empty() || missing_[i] == history_.missing(i)) continue;
    journal_->put_missing(claims_[i], history_.missing(i));
    missing_[i] = history_.missing(i);
  }
}

bool JournaledStream::has_trimming() const {
  for (std::size_t i = 0; i < trimmed_.size(); ++i) {
    if (trimmed_[i] < history_.trimmed(i)) return true;
  }
  return losses_to_trim() > 0;
}

void JournaledStream::tick(Now now) {
  wall_ = now.wall;
  history_.expire(now.wall);
  snapshot_.expire(now.wall);
  if (!journal_) return try_again(now);
  if (!gone_topics_.empty() || !ending_changes_.empty() || has_trimming()) {
    std::vector<LostRange> none;
    append({}, none, {});
  }
}

bool JournaledStream::write_head(bool clean) { return head_file_->write({*epoch_, head_, boot_, clean}); }

// The events of the failed batch were never delivered in the old epoch, so the new one may give their offsets
// to them.
void JournaledStream::degrade(const std::string& why) {
  journal_.reset();
  trouble_ = why;
  old_is_aside_ = false;
  new_epoch();
  log::error("degraded: nothing is kept, delivery goes on in memory",
             {{"journal", settings_.path.string()}, {"why", why}, {"epoch", *epoch_}});
}

void JournaledStream::try_again(Now now) {
  if (now.steady - tried_at_ < kTryAgain) return;
  tried_at_ = now.steady;
  if (!has_room(settings_.path)) return;
  old_is_aside_ = old_is_aside_ || set_aside(trouble_);
  if (!old_is_aside_) return;
  new_epoch();
  if (!start_new_journal()) return remove_journal(settings_.path);
  trouble_.clear();
  log::info("the journal is back", {{"journal", settings_.path.string()}, {"epoch", *epoch_}});
}

// Those that a client whose cursor is at the head may not have been told of.
std::vector<LostRange> JournaledStream::losses_at_head() const {
  std::vector<LostRange> losses;
  for (auto number = history_.loss_from(head_); number < history_.next_loss(); ++number)
    losses.push_back(*history_.loss(number));
  return losses;
}

bool JournaledStream::start_new_journal() {
  const auto losses = losses_at_head();
  try {
    auto journal = Journal::open(settings_.path, settings_.durability, fresh_meta());
    if (!journal) return false;
    (*journal)->begin();
    for (const auto& [life, mark] : marks_) (*journal)->put_producer(mark);
    for (const auto& [offset, event] : snapshot_.events()) (*journal)->put_latest(*event, true);
    for (const auto& [topic, until] : snapshot_.endings()) (*journal)->put_ending(topic, until);
    for (const auto& lost : losses) (*journal)->put_lost(lost);
    for (const auto& claim : claims_) {
      if (!claim.empty()) (*journal)->put_missing(claim, head_);
    }
    (*journal)->commit(*epoch_, head_);
    auto head_file = HeadFile::open(head_path(), settings_.durability == StreamSettings::Durability::power);
    if (!head_file) return false;
    head_file_.emplace(std::move(*head_file));
    if (!write_head(false)) return false;
    journal_ = std::move(*journal);
  } catch (const JournalError&) {
    return false;
  }
  gone_topics_.clear();
  ending_changes_.clear();
  history_ = History(policies_);
  trimmed_.assign(trimmed_.size(), head_);
  losses_trimmed_ = 0;
  missing_.assign(trimmed_.size(), head_);
  history_.forget_up_to(head_);
  for (const auto& lost : losses) history_.apply(lost);
  return true;
}

}  // namespace trestle
