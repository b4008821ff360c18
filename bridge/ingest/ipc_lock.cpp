#include "bridge/ingest/ipc_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace trestle {
namespace {

constexpr const char* kTaken = "the path is in use, perhaps by another trestled or trestle bus";

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Error open_error(const std::string& path, int number) {
  if (number == ENOENT) return Error{"there is no folder " + folder_of(path) + ": create it"};
  return Error{path + ".lock: " + std::strerror(number)};
}

/// True if somebody who knows nothing of our locks listens there. A socket that a killed process left behind
/// refuses.
bool answers(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const bool connected =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
  ::close(probe);
  return connected;
}

std::optional<Error> not_a_socket(const std::string& path) {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0 || S_ISSOCK(there.st_mode)) return std::nullopt;
  return Error{"something that is no socket is there: move it away, or choose another path"};
}

}  // namespace

IpcLock::~IpcLock() {
  if (fd_ >= 0) ::close(fd_);
}

IpcLock& IpcLock::operator=(IpcLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<IpcLock> IpcLock::take(const std::string& path) {
  IpcLock lock(::open((path + ".lock").c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0660));
  if (lock.fd_ < 0) return open_error(path, errno);
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) return Error{kTaken};
  if (auto error = not_a_socket(path)) return *error;
  if (answers(path)) return Error{kTaken};
  return lock;
}

std::optional<Error> IpcLock::find_fault(const std::string& path) {
  const auto folder = folder_of(path);
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) return open_error(path, errno);
  return not_a_socket(path);
}

}  // namespace trestle
