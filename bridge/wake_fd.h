#pragma once
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace trestle {

/// An eventfd by which any thread ends another's wait in poll() or epoll: readable from wake() to clear().
/// Ownership: the caller closes it. Throws std::system_error when the process has no descriptor left.
inline int new_wake_fd() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

/// Any thread. Wake-ups add up to one until clear(); writing fails only where 2^64 - 1 of them are waiting.
inline void wake(int wake_fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
}

/// The waiting thread, before it looks at what it was woken for. Nothing to clear is no error.
inline void clear_wake(int wake_fd) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_fd, &count, sizeof count);
}

}  // namespace trestle
