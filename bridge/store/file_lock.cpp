#include "bridge/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "bridge/store/links.h"

namespace trestle {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEvery{10};
constexpr mode_t kOwner = S_IRUSR | S_IWUSR;
constexpr mode_t kGroup = S_IRGRP | S_IWGRP;

Error cannot_change(const std::filesystem::path& file, const std::string& why) {
  return Error{"cannot change " + file.string() + ": " + why};
}

// Whoever of root and the service comes first, the other can take it too. What this process may not give away
// stays its own.
void share(int fd, const std::filesystem::path& file) {
  struct stat directory {};
  const auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (::stat(parent.c_str(), &directory) != 0) return;
  struct stat found {};
  const auto owner = ::stat(file.c_str(), &found) == 0 ? found.st_uid : directory.st_uid;
  const auto nobody_else = static_cast<gid_t>(-1);
  if (::geteuid() == 0 && ::fchown(fd, owner, nobody_else) != 0) return;
  if ((directory.st_mode & S_IWGRP) == 0) return;
  if (::fchown(fd, static_cast<uid_t>(-1), directory.st_gid) == 0) ::fchmod(fd, kOwner | kGroup);
}

// Root gives the lock file to whom the file belongs by now, but never what somebody has linked there.
bool is_our_kind(int fd) {
  struct stat found {};
  return ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1 && found.st_size == 0;
}

// Not with O_CREAT alone: in a sticky directory the kernel refuses it for a file of somebody else's.
int open_lock(const std::filesystem::path& lock, const std::filesystem::path& file) {
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  for (;;) {
    const int there = ::open(lock.c_str(), kFlags);
    if (there >= 0 && ::geteuid() == 0 && is_our_kind(there)) share(there, file);
    if (there >= 0 || errno != ENOENT) return there;
    const int made = ::open(lock.c_str(), kFlags | O_CREAT | O_EXCL, kOwner);
    if (made >= 0) share(made, file);
    if (made >= 0 || errno != EEXIST) return made;
  }
}

}  // namespace

Result<FileLock> FileLock::take(const std::filesystem::path& named, std::chrono::milliseconds patience) {
  const auto found = behind_links(named);
  if (!found) return found.error();
  const auto& file = *found;
  const auto until = steady_clock::now() + patience;
  const auto path = file.string() + ".lock";
  FileLock lock(open_lock(path, file));
  if (lock.fd_ < 0) return cannot_change(file, "cannot open " + path + ": " + std::strerror(errno));
  while (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return cannot_change(file, "cannot lock " + path + ": " + std::strerror(errno));
    }
    if (steady_clock::now() >= until) {
      return cannot_change(file, "another process holds " + path + " for too long (fuser -v " + path +
                                     " says which): end it, or try again");
    }
    std::this_thread::sleep_for(kEvery);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace trestle
