#include "clients/pipeline/terminal_text.h"

#include <algorithm>

namespace trestle::pipeline {
namespace {

constexpr std::size_t kLongestLine = 8 * 1024;

std::string_view without_trailing_blanks(std::string_view line) {
  const auto last = line.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view{} : line.substr(0, last + 1);
}

}  // namespace

void BoundedText::append(std::string_view text) {
  const std::size_t to_head = std::min(text.size(), head_limit_ - head_.size());
  head_.append(text.substr(0, to_head));
  tail_.append(text.substr(to_head));
  // Cut at twice the limit, not at every append: moving the tail then costs a constant per byte.
  if (tail_.size() <= 2 * tail_limit_) return;
  const std::size_t excess = tail_.size() - tail_limit_;
  tail_.erase(0, excess);
  dropped_ += excess;
}

std::string BoundedText::text() const {
  if (dropped_ == 0) return head_ + tail_;
  return head_ + "\n[… " + std::to_string(dropped_) + " bytes left out …]\n" + tail_;
}

void TerminalText::append(std::string_view chunk) {
  for (const char c : chunk) {
    if (c == '\n') {
      end_line();
    } else if (c == '\r') {
      cursor_ = 0;
    } else if (c == '\b') {
      if (cursor_ > 0) --cursor_;
    } else {
      put(c);
    }
  }
}

std::string TerminalText::text() const { return done_.text() + std::string(without_trailing_blanks(line_)); }

void TerminalText::end_line() {
  done_.append(without_trailing_blanks(line_));
  done_.append("\n");
  line_.clear();
  cursor_ = 0;
}

void TerminalText::put(char c) {
  if (cursor_ < line_.size()) {
    line_[cursor_++] = c;
    return;
  }
  line_.push_back(c);
  cursor_ = line_.size();
  if (line_.size() >= kLongestLine) end_line();
}

}  // namespace trestle::pipeline
