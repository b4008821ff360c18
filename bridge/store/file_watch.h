#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <tuple>
#include <vector>

namespace trestle {

/// Notices that files have changed: other content in place, another file under the name, gone, or come.
///
/// By looking, not by inotify: what is asked is what the name leads to now, through every symbolic link on
/// the way (container platforms replace a folder of mounted files by one link), on any file system. A change
/// counts once it has stayed the same for two looks, so a file is not read while somebody writes it; a file
/// renamed over another is whole anyway.
///
/// Thread: one. Cost of a look: a stat() a file.
class FileWatch {
 public:
  /// Takes the files as they are now.
  explicit FileWatch(std::vector<std::filesystem::path> files);
  /// A look. True once for each change.
  bool changed();

 private:
  /// Device, inode, size, and the times of content and of the inode in ns; all 0 where there is no file.
  using Stamp = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;
  std::vector<Stamp> look() const;

  const std::vector<std::filesystem::path> files_;
  std::vector<Stamp> known_;  // told of
  std::vector<Stamp> last_;   // at the last look
};

}  // namespace trestle
