#include "bridge/store/file_watch.h"

#include <sys/stat.h>

namespace trestle {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileWatch::FileWatch(std::vector<std::filesystem::path> files)
    : files_(std::move(files)), known_(look()), last_(known_) {}

bool FileWatch::changed() {
  auto now = look();
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == known_) return false;
  known_ = last_;
  return true;
}

std::vector<FileWatch::Stamp> FileWatch::look() const {
  std::vector<Stamp> stamps;
  for (const auto& file : files_) {
    struct stat info {};
    if (::stat(file.c_str(), &info) == 0) {
      stamps.emplace_back(info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim),
                          nanoseconds(info.st_ctim));
    } else {
      stamps.emplace_back();
    }
  }
  return stamps;
}

}  // namespace trestle
