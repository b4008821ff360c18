#pragma once
#include <filesystem>
#include <vector>

#include "bridge/store/file_mark.h"

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
  /// The files as they are now are known: for who reads them without having been told of a change.
  void take();

 private:
  std::vector<FileMark> look() const;

  const std::vector<std::filesystem::path> files_;
  std::vector<FileMark> known_;  // told of
  std::vector<FileMark> last_;   // at the last look
};

}  // namespace trestle
