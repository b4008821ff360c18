#pragma once
#include <cstddef>
#include <optional>
#include <string>

namespace trestle::cli {

/// Reads lines from a descriptor until its end, or until another descriptor (see StopSignal) becomes
/// readable. Bound: a longer line than `max_line` is cut there and marked; the rest of it is skipped.
class LineReader {
 public:
  struct Line {
    std::size_t number = 0;  ///< from 1
    std::string text;        ///< without the line end
    bool too_long = false;
  };

  LineReader(int fd, int stop_fd, std::size_t max_line) : fd_(fd), stop_fd_(stop_fd), max_line_(max_line) {}

  /// Nothing at the end or when asked to stop. Throws Failure if the descriptor can't be read.
  std::optional<Line> next();

 private:
  bool fill();
  void take(std::string& line, std::size_t count, bool& too_long);

  const int fd_;
  const int stop_fd_;
  const std::size_t max_line_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
};

}  // namespace trestle::cli
