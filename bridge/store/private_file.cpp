#include "bridge/store/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace trestle {
namespace {

constexpr std::size_t kMaxSmallFile = 1024 * 1024;

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

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error("read", path);
  std::string content(kMaxSmallFile + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxSmallFile)
    return Error{"cannot read " + path.string() + ": over 1 MiB, so not what belongs there"};
  content.resize(size);
  return content;
}

Result<std::monostate> write_private_file(const std::filesystem::path& path, std::string_view content) {
  const auto beside = path.string() + ".new." + std::to_string(::getpid());
  ::unlink(beside.c_str());  // left by a crash; in a container the pid is the same every time
  Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return system_error("write", path);
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 || !file.close() ||
      std::rename(beside.c_str(), path.c_str()) != 0) {
    const auto error = system_error("write", path);
    ::unlink(beside.c_str());
    return error;
  }
  return std::monostate{};
}

}  // namespace trestle
