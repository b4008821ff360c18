#include "bridge/store/file_watch.h"

namespace trestle {

FileWatch::FileWatch(std::vector<std::filesystem::path> files)
    : files_(std::move(files)), known_(marks()), last_(known_) {}

FileNews FileWatch::look(Time now) {
  if (looked_ && now - *looked_ < kBetween) return FileNews::none;
  looked_ = now;
  auto seen = marks();
  const bool settled = seen == last_;
  last_ = std::move(seen);
  if (!settled) {
    if (!unsettled_from_) unsettled_from_ = now;
    if (now - *unsettled_from_ < kPatience) return FileNews::none;
    unsettled_from_ = now;
    told_unsettled_ = true;
    return FileNews::unsettled;
  }
  unsettled_from_.reset();
  if (last_ == known_ && !told_unsettled_) return FileNews::none;
  known_ = last_;
  told_unsettled_ = false;
  return FileNews::settled;
}

void FileWatch::take() {
  known_ = last_ = marks();
  unsettled_from_.reset();
  told_unsettled_ = false;
}

std::vector<FileMark> FileWatch::marks() const {
  std::vector<FileMark> marks;
  for (const auto& file : files_) marks.push_back(FileMark::of(file));
  return marks;
}

}  // namespace trestle
