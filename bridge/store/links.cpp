#include "bridge/store/links.h"

#include <sys/stat.h>
#include <unistd.h>

namespace trestle {
namespace {

constexpr int kMostLinks = 40;

Error cannot_follow(const std::filesystem::path& link, const std::string& why) {
  return Error{"cannot follow the link " + link.string() + ": " + why};
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

bool may_be_planted(const std::filesystem::path& path, uid_t owner) {
  struct stat directory {};
  if (owner == ::geteuid() || ::stat(directory_of(path).c_str(), &directory) != 0) return false;
  const bool open_to_all = (directory.st_mode & S_ISVTX) != 0 && (directory.st_mode & S_IWOTH) != 0;
  return open_to_all && directory.st_uid != owner;
}

}  // namespace

Result<std::filesystem::path> behind_links(std::filesystem::path path) {
  const auto first = path;
  for (int followed = 0; followed <= kMostLinks; ++followed) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISLNK(found.st_mode)) return path;
    if (may_be_planted(path, found.st_uid)) {
      return cannot_follow(path, "it belongs to uid " + std::to_string(found.st_uid) +
                                     ", in a directory where anybody can put one; name the file itself");
    }
    std::error_code error;
    const auto target = std::filesystem::read_symlink(path, error);
    if (error) return cannot_follow(path, error.message());
    path = path.parent_path() / target;  // an absolute target takes the place of all
  }
  return cannot_follow(first,
                       "it leads to more than " + std::to_string(kMostLinks) + " others, or to itself");
}

}  // namespace trestle
