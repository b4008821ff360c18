#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "bridge/store/file_mark.h"

namespace trestle {

/// What a look at files tells.
enum class FileNews {
  none,
  settled,    ///< they have changed, and keep still
  unsettled,  ///< they have changed, and somebody goes on changing them
};

/// Notices that files have changed: other content in place, another file under the name, gone, or come.
///
/// By looking, not by inotify: what is asked is what the name leads to now, through every symbolic link on
/// the way (container platforms replace a folder of mounted files by one link), on any file system. A change
/// counts once it has stayed the same for two looks, so a file is not read while somebody writes it; a file
/// renamed over another is whole anyway. But nobody can put a change off by changing the files again and
/// again: after kPatience it is told `unsettled`. What is read then may be half of a file: a fault in it is
/// none, for the watch tells again, every kPatience, and once more when the files keep still at last.
///
/// Thread: one. Cost of a look: a stat() a file. Who must not wait for the changes of one file to see those
/// of another gives each a watch of its own.
class FileWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// From the look that first sees a change to the one that tells it at the latest, if looks are not further
  /// apart than half of it.
  static constexpr std::chrono::milliseconds kPatience{300};
  /// Looks that follow one another faster are none: a file does not settle in no time.
  static constexpr std::chrono::milliseconds kBetween{100};

  /// Takes the files as they are now.
  explicit FileWatch(std::vector<std::filesystem::path> files);
  /// A look. Tells each change that settles once.
  FileNews look(Time now);
  /// The files as they are now are known: for who reads them without having been told of a change.
  void take();

 private:
  std::vector<FileMark> marks() const;

  std::vector<std::filesystem::path> files_;
  std::vector<FileMark> known_;         // told of
  std::vector<FileMark> last_;          // at the last look
  std::optional<Time> looked_;          // the last look
  std::optional<Time> unsettled_from_;  // since when nothing was told, while they change from look to look
  bool told_unsettled_ = false;         // and not yet that they keep still
};

}  // namespace trestle
