#include "bridge/front/byte_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace trestle {
namespace {

constexpr std::size_t kMaxSlices = 16;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  Io read(char* buffer, std::size_t size, std::size_t& got) override {
    const auto count = ::recv(fd_, buffer, size, MSG_DONTWAIT);
    if (count > 0) {
      got = static_cast<std::size_t>(count);
      return Io::done;
    }
    if (count == 0) return Io::closed;
    return would_block() ? Io::wait_read : Io::failed;
  }

  Io write(const std::string_view* slices, std::size_t count, std::size_t& written) override {
    const auto sent =
        count == 1 ? ::send(fd_, slices->data(), slices->size(), kFlags) : gather(slices, count);
    if (sent >= 0) {
      written = static_cast<std::size_t>(sent);
      return Io::done;
    }
    return would_block() ? Io::wait_write : Io::failed;
  }

  void finish_writing() override { ::shutdown(fd_, SHUT_WR); }

 private:
  static constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

  // Dearer than send() by what the kernel spends on reading the header and the list.
  ssize_t gather(const std::string_view* slices, std::size_t count) {
    std::array<iovec, kMaxSlices> parts;
    const auto used = std::min(count, kMaxSlices);
    for (std::size_t i = 0; i < used; ++i) parts[i] = {const_cast<char*>(slices[i].data()), slices[i].size()};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    return ::sendmsg(fd_, &message, kFlags);
  }

  const int fd_;
};

class ClosedStream final : public ByteStream {
 public:
  Io read(char*, std::size_t, std::size_t&) override { return Io::closed; }
  Io write(const std::string_view*, std::size_t, std::size_t&) override { return Io::failed; }
  void finish_writing() override {}
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(int fd) { return std::make_unique<PlainStream>(fd); }

std::unique_ptr<ByteStream> closed_stream() { return std::make_unique<ClosedStream>(); }

}  // namespace trestle
