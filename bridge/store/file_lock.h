#pragma once
#include <chrono>
#include <filesystem>

#include "proto/result.h"

namespace trestle {

/// While it lives nobody else who takes it changes the file: for reading a file, changing what was read and
/// writing it again. It is a lock on `<file>.lock`, which is made and stays: the file itself is another one
/// each time it is written. The lock file is for whoever may change the file: of the file's owner (or the
/// directory's, while there is no file), and of the directory's group if that may write there. Of a link it
/// is the lock of what that leads to; see behind_links(). A process that dies lets go of it. Thread: any one
/// at a time.
class FileLock {
 public:
  /// Waits for it for `patience` at most. Errors name the file, what the system said, and the way out.
  static Result<FileLock> take(const std::filesystem::path& named, std::chrono::milliseconds patience);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;  // -1: moved from
};

}  // namespace trestle
