#include "bridge/store/head_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "bridge/store/crc32c.h"
#include "bridge/store/sqlite.h"

namespace trestle {
namespace {

// One line of text, padded: "<crc> <epoch> <offset> <clean> <boot> <written>\n". Text, so that an operator
// can read it.
constexpr std::size_t kSize = 256;
constexpr std::size_t kCrcSize = 9;  // eight hex digits and the space behind them
constexpr Micros kSlack = 50'000;    // between looking at the clock and the write, on a machine that is busy

struct Line {
  Head head;
  Micros written = 0;  // by the machine's clock; 0 in lines of older versions
};

Micros wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string encode(const Head& head) {
  const auto text = head.epoch + ' ' + std::to_string(head.offset) + (head.clean ? " clean " : " open ") +
                    (head.boot.empty() ? "-" : head.boot) + ' ' + std::to_string(wall_clock());
  std::array<char, 16> crc{};
  std::snprintf(crc.data(), crc.size(), "%08x ", crc32c(text));
  auto line = crc.data() + text;
  line.resize(kSize - 1, ' ');
  return line + "\n";
}

std::optional<Line> decode(std::string_view line) {
  if (line.size() != kSize) return std::nullopt;
  auto text = line.substr(kCrcSize);
  text = text.substr(0, text.find_last_not_of(" \n") + 1);
  std::array<char, 16> crc{};
  std::snprintf(crc.data(), crc.size(), "%08x ", crc32c(text));
  if (line.substr(0, kCrcSize) != crc.data()) return std::nullopt;
  std::istringstream fields{std::string(text)};
  Line decoded;
  auto& head = decoded.head;
  std::string state;
  if (!(fields >> head.epoch >> head.offset >> state >> head.boot)) return std::nullopt;
  head.clean = state == "clean";
  fields >> decoded.written;
  return decoded;
}

bool was_put_back(Micros written, const struct stat& file) {
  const auto changed = Micros{file.st_ctim.tv_sec} * 1'000'000 + file.st_ctim.tv_nsec / 1'000;
  return written != 0 && changed > written + kSlack;
}

}  // namespace

FoundHead HeadFile::find(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return {std::nullopt, "the head file " + path.string() + " is missing: " + std::strerror(errno)};
  struct stat file {};
  std::array<char, kSize> line{};
  const bool read = ::fstat(fd, &file) == 0 &&
                    ::pread(fd, line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
  ::close(fd);
  const auto found = read ? decode({line.data(), line.size()}) : std::nullopt;
  if (!found) return {std::nullopt, "the head file " + path.string() + " is damaged"};
  if (was_put_back(found->written, file)) {
    return {found->head,
            "the head file " + path.string() + " was changed after trestled wrote it: put back from a copy?"};
  }
  return {found->head, ""};
}

Result<HeadFile> HeadFile::open(const std::filesystem::path& path, bool sync) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error{"cannot open " + path.string() + ": " + std::strerror(errno)};
  HeadFile file(fd, sync);
  struct stat found {};
  const bool complete = ::fstat(fd, &found) == 0 && found.st_size == kSize;  // then it is not touched
  if (const int failed = complete ? 0 : ::posix_fallocate(fd, 0, kSize); failed != 0) {
    if (is_disk_trouble(failed)) throw JournalError(std::strerror(failed), JournalError::Kind::disk);
    return Error{"cannot write " + path.string() + ": " + std::strerror(failed)};
  }
  return file;
}

HeadFile& HeadFile::operator=(HeadFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(sync_, other.sync_);
  return *this;
}

HeadFile::~HeadFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool HeadFile::write(const Head& head) {
  const auto line = encode(head);
  if (::pwrite(fd_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) return false;
  return !sync_ || ::fdatasync(fd_) == 0;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

}  // namespace trestle
