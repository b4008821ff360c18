#include "bridge/store/file_watch.h"

namespace trestle {

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

void FileWatch::take() { known_ = last_ = look(); }

std::vector<FileMark> FileWatch::look() const {
  std::vector<FileMark> marks;
  for (const auto& file : files_) marks.push_back(FileMark::of(file));
  return marks;
}

}  // namespace trestle
