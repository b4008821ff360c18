#include "bridge/store/file_mark.h"

#include <sys/stat.h>

namespace trestle {
namespace {

bool same_time(const std::timespec& a, const std::timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

FileMark FileMark::of(const std::filesystem::path& path) {
  FileMark mark;
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return mark;
  mark.there_ = true;
  mark.device_ = found.st_dev;
  mark.inode_ = found.st_ino;
  mark.size_ = found.st_size;
  mark.written_ = found.st_mtim;
  mark.changed_ = found.st_ctim;
  return mark;
}

bool FileMark::operator==(const FileMark& other) const {
  return there_ == other.there_ && device_ == other.device_ && inode_ == other.inode_ &&
         size_ == other.size_ && same_time(written_, other.written_) && same_time(changed_, other.changed_);
}

}  // namespace trestle
