#include "clients/cli/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

std::optional<LineReader::Line> LineReader::next() {
  Line line;
  bool any = false;
  while (at_ < buffer_.size() || fill()) {
    any = true;
    const std::size_t end = buffer_.find('\n', at_);
    take(line.text, std::min(end, buffer_.size()) - at_, line.too_long);
    if (end == std::string::npos) continue;
    ++at_;
    break;
  }
  if (!any) return std::nullopt;
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  line.number = ++number_;
  return line;
}

void LineReader::take(std::string& line, std::size_t count, bool& too_long) {
  const std::size_t room = max_line_ - line.size();
  too_long = too_long || count > room;
  line.append(buffer_, at_, std::min(count, room));
  at_ += count;
}

bool LineReader::fill() {
  pollfd items[] = {{stop_fd_, POLLIN, 0}, {fd_, POLLIN, 0}};
  while (poll(items, 2, -1) < 0 && errno == EINTR) {
  }
  if (items[0].revents != 0) return false;
  buffer_.resize(64 * 1024);
  at_ = 0;
  const ssize_t got = read(fd_, buffer_.data(), buffer_.size());
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) throw Failure(Exit::failed, std::string("cannot read the input: ") + std::strerror(errno));
  return got > 0;
}

}  // namespace trestle::cli
