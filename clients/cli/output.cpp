#include "clients/cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

bool Output::add(std::string_view bytes) {
  waiting_ += bytes;
  return waiting_.size() < kMuch || flush();
}

bool Output::flush() {
  const std::string taken = std::exchange(waiting_, {});
  std::string_view bytes = taken;
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno == EAGAIN) {
      pollfd items[] = {{stop_.fd(), POLLIN, 0}, {STDOUT_FILENO, POLLOUT, 0}};
      (void)poll(items, 2, -1);
      if (items[0].revents != 0) return false;
    } else if (errno != EINTR) {
      throw Failure(Exit::failed, std::string("cannot write to standard output: ") + std::strerror(errno));
    } else if (stop_.requested()) {
      return false;
    }
  }
  return true;
}

}  // namespace trestle::cli
