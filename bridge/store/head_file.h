#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "bridge/core/event.h"
#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// What the bridge had told the world when it last wrote: a few bytes beside the journal, overwritten in
/// place before every delivery. If the journal knows less than this at a start, events that clients may have
/// seen are gone.
struct Head {
  std::string epoch;
  Offset offset = 0;
  std::string boot;    ///< the machine's boot, /proc/sys/kernel/random/boot_id
  bool clean = false;  ///< written by an orderly stop
};

/// What a start finds.
struct FoundHead {
  std::optional<Head> head;
  /// Why it may not be the last that was written: missing, damaged, or put back from a copy. Empty if it is.
  std::string doubt;
};

/// The open head file.
///
/// The line says when it was written. A file that was put back from a copy was changed later than that,
/// whatever times the copying preserved: nobody can set a file's ctime. (Changing its owner or rights counts
/// as well; a file system that was rolled back as a whole does not show.)
///
/// Thread: the spine's.  Its space is taken when it is made, so writing it needs none later.
class HeadFile {
 public:
  /// Reads it without changing anything.
  static FoundHead find(const std::filesystem::path& path);
  /// Opens or makes it. `sync`: every write reaches the disk before it returns. Throws JournalError if the
  /// disk is full or fails.
  static Result<HeadFile> open(const std::filesystem::path& path, bool sync);
  HeadFile(HeadFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), sync_(other.sync_) {}
  HeadFile& operator=(HeadFile&& other) noexcept;
  ~HeadFile();

  /// False if the system refused.
  bool write(const Head& head);

 private:
  HeadFile(int fd, bool sync) : fd_(fd), sync_(sync) {}
  int fd_;
  bool sync_;
};

/// The id of this boot of the machine; empty if the system has none.
std::string boot_id();

}  // namespace trestle
