#pragma once
#include <sys/types.h>

#include <ctime>
#include <filesystem>

namespace trestle {

/// What tells one state of a file from another without reading it: where a symlink leads, which file is
/// there, when it was last written or its rights changed. Two equal marks: nothing to read again.
class FileMark {
 public:
  /// Of a file that is not there, too.
  static FileMark of(const std::filesystem::path& path);
  bool operator==(const FileMark& other) const;
  bool operator!=(const FileMark& other) const { return !(*this == other); }

 private:
  bool there_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  off_t size_ = 0;
  std::timespec written_{};
  std::timespec changed_{};
};

}  // namespace trestle
