#include "bridge/store/private_file.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bridge/store/links.h"

namespace trestle {
namespace {

Error system_error(const std::string& verb, const std::filesystem::path& path) {
  return Error{"cannot " + verb + " " + path.string() + ": " + std::strerror(errno)};
}

// Closes on every way out; release() says how closing went, which for a written file is part of the answer.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

Error not_regular(const std::filesystem::path& path, mode_t mode) {
  return Error{"cannot read " + path.string() + ": not a regular file, but " + std::string(kind_of(mode))};
}

bool is_other_by_now(int fd, const struct stat& before) {
  struct stat now {};
  return ::fstat(fd, &now) == 0 &&
         (now.st_size != before.st_size || now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
          now.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

constexpr mode_t kPrivate = S_IRUSR | S_IWUSR;
constexpr mode_t kForGroup = kPrivate | S_IRGRP;
constexpr mode_t kPublic = kForGroup | S_IROTH;

// Of a secret's old mode only 0640 can be meant; whatever else was open to others is not any more.
mode_t mode_after(mode_t old, mode_t mode) {
  if (mode == kPublic) return (old & kPublic) | kPrivate;
  return (old & (S_IRGRP | S_IWGRP | S_IRWXO)) == S_IRGRP ? kForGroup : mode;
}

bool set_mode(int fd, const std::filesystem::path& old, mode_t mode) {
  struct stat before {};
  if (::stat(old.c_str(), &before) != 0) return ::fchmod(fd, mode) == 0;
  const bool same_group = ::fchown(fd, before.st_uid, before.st_gid) == 0 ||
                          ::fchown(fd, static_cast<uid_t>(-1), before.st_gid) == 0;
  return ::fchmod(fd, same_group ? mode_after(before.st_mode, mode) : mode) == 0;
}

uid_t accepted_owner = 0;

std::string name_of(uid_t user) {
  const auto* entry = ::getpwuid(user);
  const auto id = "uid " + std::to_string(user);
  return entry == nullptr ? id : std::string(entry->pw_name) + " (" + id + ")";
}

std::optional<std::string> fault_of_owner(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  const auto owner = found.st_uid;
  if (owner == 0 || owner == ::geteuid() || owner == accepted_owner) return std::nullopt;
  return "is a secret that belongs to " + name_of(owner) +
         ", who is neither root nor the user that trestled runs as: chown it to root or to that user";
}

// 0 if there is no such file.
mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

std::string in_octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "(mode %04o)", mode);
  return text;
}

Result<std::monostate> replace_file(const std::filesystem::path& named, std::string_view content,
                                    mode_t mode) {
  const auto found = behind_links(named);
  if (!found) return found.error();
  const auto& path = *found;
  const auto beside = path.string() + ".new." + std::to_string(::getpid());
  ::unlink(beside.c_str());  // left by a crash; in a container the pid is the same every time
  Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate));
  if (file.get() < 0) return system_error("write", path);
  if (!set_mode(file.get(), path, mode) || !write_all(file.get(), content) || ::fsync(file.get()) != 0 ||
      !file.close() || std::rename(beside.c_str(), path.c_str()) != 0) {
    const auto error = system_error("write", path);
    ::unlink(beside.c_str());
    return error;
  }
  return std::monostate{};
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
  struct stat before {};
  // Looked at first, for to open a device can set it going; and again when it is open, for it may be another.
  if (::stat(path.c_str(), &before) == 0 && !S_ISREG(before.st_mode))
    return not_regular(path, before.st_mode);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0 || ::fstat(file.get(), &before) != 0) return system_error("read", path);
  if (!S_ISREG(before.st_mode)) return not_regular(path, before.st_mode);
  std::string content(kMaxSmallFile + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (is_other_by_now(file.get(), before)) {
    return Error{"cannot read " + path.string() +
                 ": it is being written; write another file and rename it over this one"};
  }
  if (size > kMaxSmallFile)
    return Error{"cannot read " + path.string() + ": over 1 MiB, so not what belongs there"};
  content.resize(size);
  return content;
}

Result<std::monostate> write_private_file(const std::filesystem::path& path, std::string_view content) {
  return replace_file(path, content, kPrivate);
}

Result<std::monostate> write_public_file(const std::filesystem::path& path, std::string_view content) {
  return replace_file(path, content, kPublic);
}

std::optional<std::string> fault_of_folder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return std::nullopt;
  return std::strerror(errno);
}

std::optional<std::string> fault_of_own_file(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return std::strerror(EISDIR);
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0) return std::nullopt;
  return std::strerror(errno);
}

std::optional<std::string> fault_of_secret(const std::filesystem::path& path) {
  const auto mode = mode_of(path);
  const bool readable = (mode & S_IROTH) != 0;
  const bool writable = (mode & (S_IWOTH | S_IWGRP)) != 0;
  if (!readable && !writable) return fault_of_owner(path);
  const std::string what = readable && writable ? "read and change" : readable ? "read" : "change";
  return "is a secret that others can " + what + " " + in_octal(mode) + ": chmod 600 " + path.string() +
         ", or 640 with a group that only its reader is in";
}

void accept_secrets_of(uid_t owner) { accepted_owner = owner; }

std::optional<std::string> fault_of_rules(const std::filesystem::path& path) {
  const auto mode = mode_of(path);
  if ((mode & S_IWOTH) == 0) return std::nullopt;
  return "says who is let in, and everybody on this machine can change it " + in_octal(mode) +
         ": chmod o-w " + path.string();
}

}  // namespace trestle
