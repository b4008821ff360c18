#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bridge/config/settings.h"
#include "bridge/core/history.h"
#include "bridge/core/snapshot.h"
#include "bridge/core/stream.h"
#include "bridge/store/head_file.h"
#include "bridge/store/journal.h"

namespace trestle {

/// The stream with its journal. A batch is committed, and the head file written, before append() returns.
///
/// The epoch survives a restart if the journal knows all that the head file says was delivered, and the
/// machine was not rebooted under `durability: process` without an orderly stop. When the disk is full or
/// fails, at the start or later, delivery goes on in memory in a new epoch (trouble() says why) and a new
/// journal is tried every second; it starts in another new epoch, and the old one is set aside, never to be
/// written again.
///
/// Thread: the spine's.  Bound: the file holds what the policies retain, and free pages of the time it held
/// most.
class JournaledStream final : public Stream {
 public:
  /// `policies` outlives it. The error is for the operator. Neither damage (the file is set aside, and said
  /// so) nor a disk that is full or fails is one.
  static Result<std::unique_ptr<JournaledStream>> open(const StreamSettings& settings,
                                                       const PolicyTable& policies, Now now);
  /// What open() would fail with whoever uses the files, found without making or changing anything.
  static std::optional<Error> find_fault(const StreamSettings& settings);
  /// An orderly stop, if nothing is wrong.
  ~JournaledStream() override;

  EpochPtr epoch() const override { return epoch_; }
  Offset head() const override { return head_; }
  const std::string& trouble() const override { return trouble_; }
  Past restore() override { return std::move(past_); }
  void append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
              const std::vector<ProducerMark>& marks) override;
  void tick(Now now) override;

 private:
  JournaledStream(const StreamSettings& settings, const PolicyTable& policies);
  Result<std::monostate> start();
  Result<std::monostate> open_journal();
  Result<std::monostate> open_files();
  void load();
  std::string doubt() const;
  void choose_epoch();
  /// What an event does to the file.
  struct Step {
    Snapshot::Change latest = Snapshot::Change::none;
    std::vector<std::string> gone;  // topics
  };
  std::vector<Step> track(const std::vector<std::shared_ptr<Event>>& events);
  void keep(const std::vector<std::shared_ptr<Event>>& events, const std::vector<Step>& steps,
            const std::vector<LostRange>& lost, const std::vector<ProducerMark>& marks);
  void remember(const ProducerMark& mark);
  bool has_trimming() const;
  std::uint64_t losses_to_trim() const;
  void trim_a_little();
  void keep_missing();
  bool write_head(bool clean);
  std::filesystem::path head_path() const;
  void new_epoch();
  bool set_aside(const std::string& why);
  void degrade(const std::string& why);
  void try_again(Now now);
  std::vector<LostRange> losses_at_head() const;
  bool start_new_journal();
  Journal::Meta fresh_meta() const { return {*epoch_, head_, head_, 0, 0}; }

  const StreamSettings settings_;
  const PolicyTable& policies_;
  const std::string boot_ = boot_id();
  FoundHead told_;  // at the start
  std::optional<HeadFile> head_file_;
  std::unique_ptr<Journal> journal_;  // null while there is trouble
  EpochPtr epoch_;
  Offset head_ = 0;
  std::string trouble_;
  bool old_is_aside_ = false;  // while there is trouble
  Past past_;
  Snapshot snapshot_;  // what the file holds, so that it can be told what to let go of
  History history_;
  std::vector<Offset> trimmed_;            // per policy, deleted up to here
  std::uint64_t losses_trimmed_ = 0;       // so many of the history's are deleted
  const std::vector<std::string> claims_;  // per policy; empty if it is no log
  std::vector<Offset> missing_;            // per policy, what the file knows of History::missing()
  std::vector<std::string> gone_topics_;   // to be deleted with the event at hand, or the next
  std::set<std::string> ending_changes_;   // topics, to be written with the next batch
  std::map<std::pair<std::string, std::uint64_t>, ProducerMark> marks_;  // by id and epoch
  std::chrono::steady_clock::time_point tried_at_{};
  Micros wall_ = 0;
};

}  // namespace trestle
