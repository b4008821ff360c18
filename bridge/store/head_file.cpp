#include "bridge/store/head_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "bridge/store/crc32c.h"

namespace trestle {
namespace {

// One line of text, padded: "<crc> <epoch> <offset> <clean> <boot>\n". Text, so that an operator can read it.
constexpr std::size_t kSize = 256;
constexpr std::size_t kCrcSize = 9;  // eight hex digits and the space behind them

std::string encode(const Head& head) {
  std::ostringstream text;
  text << head.epoch << ' ' << head.offset << ' ' << (head.clean ? "clean" : "open") << ' '
       << (head.boot.empty() ? "-" : head.boot);
  std::array<char, 16> crc{};
  std::snprintf(crc.data(), crc.size(), "%08x ", crc32c(text.str()));
  auto line = crc.data() + text.str();
  line.resize(kSize - 1, ' ');
  return line + "\n";
}

std::optional<Head> decode(std::string_view line) {
  if (line.size() != kSize) return std::nullopt;
  auto text = line.substr(kCrcSize);
  text = text.substr(0, text.find_last_not_of(" \n") + 1);
  std::array<char, 16> crc{};
  std::snprintf(crc.data(), crc.size(), "%08x ", crc32c(text));
  if (line.substr(0, kCrcSize) != crc.data()) return std::nullopt;
  std::istringstream fields{std::string(text)};
  Head head;
  std::string state;
  if (!(fields >> head.epoch >> head.offset >> state >> head.boot)) return std::nullopt;
  head.clean = state == "clean";
  return head;
}

}  // namespace

Result<HeadFile> HeadFile::open(const std::filesystem::path& path, bool sync) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error{"cannot open " + path.string() + ": " + std::strerror(errno)};
  HeadFile file(fd, sync);
  if (const int failed = ::posix_fallocate(fd, 0, kSize); failed != 0) {
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

std::optional<Head> HeadFile::read() const {
  std::array<char, kSize> line{};
  const auto got = ::pread(fd_, line.data(), line.size(), 0);
  if (got != static_cast<ssize_t>(line.size())) return std::nullopt;
  return decode({line.data(), line.size()});
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
