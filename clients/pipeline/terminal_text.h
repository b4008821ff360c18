#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trestle::pipeline {

/// Keeps the beginning and the end of a text and counts what falls out between: the first lines say what was
/// asked for, the last ones how it went. Bound: `head` + 2 × `tail` bytes, whatever is appended.
class BoundedText {
 public:
  BoundedText(std::size_t head, std::size_t tail) : head_limit_(head), tail_limit_(tail) {}
  void append(std::string_view text);
  /// Head, a line "[… N bytes left out …]" if something fell out, tail.
  std::string text() const;

 private:
  std::size_t head_limit_, tail_limit_;
  std::string head_, tail_;
  std::size_t dropped_ = 0;
};

/// The same text as it would stand on a terminal in the end: carriage returns and backspaces move back, and
/// what is written there replaces what stood there. So a tool's progress, overwritten a thousand times, costs
/// one line, and all that it left standing is kept. Blanks at the end of a line are dropped. Lines over 8 KiB
/// are broken.
class TerminalText {
 public:
  explicit TerminalText(std::size_t limit = std::size_t{1} << 20) : done_(limit / 2, limit / 4) {}
  void append(std::string_view chunk);
  std::string text() const;

 private:
  void end_line();
  void put(char c);

  BoundedText done_;
  std::string line_;
  std::size_t cursor_ = 0;
};

}  // namespace trestle::pipeline
