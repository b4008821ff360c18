#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "bridge/auth/producer_list.h"
#include "bridge/store/file_watch.h"

namespace trestle {

/// The list of producers as its file has it now. A file that can't be used is logged once, and the list
/// before stays; one that is gone counts as such.
///
/// Thread: look() and reload() from one; current() and trouble() from any.
class ProducerWatch {
 public:
  /// Reads the file for the first time; the error is for the operator.
  static Result<std::unique_ptr<ProducerWatch>> open(const std::filesystem::path& path);

  /// Reads the file again if it is another one than it was and stays so for two looks, or somebody goes on
  /// changing it: see FileWatch. Call it six times a second, or more often.
  void look(FileWatch::Time now);
  /// Reads the file again, changed or not.
  void reload();

  std::shared_ptr<const ProducerList> current() const { return std::atomic_load(&list_); }
  /// Why the file, as it is now, is not in force; empty while it is.
  std::string trouble() const;

 private:
  explicit ProducerWatch(std::filesystem::path path) : path_(std::move(path)), file_({path_}) {}
  void take();
  void take_unsettled();
  void put(ProducerList list);

  const std::filesystem::path path_;
  std::shared_ptr<const ProducerList> list_;  // by std::atomic_load and std::atomic_store only
  FileWatch file_;
  mutable std::mutex mutex_;
  std::string trouble_;  // guarded by mutex_
};

}  // namespace trestle
