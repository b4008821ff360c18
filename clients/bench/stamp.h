#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace trestle::bench {

/// The monotonic clock in ns: the same for all processes of a machine, so both ends must be on one.
std::uint64_t ns_of(std::chrono::steady_clock::time_point time);
std::uint64_t now_ns();

/// An event of the given type and of `size` bytes (of at least about 50), with the time in it: '@' and
/// 16 hexadecimal digits.
std::string stamped_event(std::string_view type, std::uint64_t time, std::size_t size);

/// Finds the times in a stream of bytes that comes in pieces cut anywhere, whatever protocol is around them.
class StampFinder {
 public:
  /// Calls found(std::uint64_t time) for each one that ends in this piece.
  template <class Found>
  void feed(std::string_view piece, Found found) {
    while (!piece.empty()) {
      if (partial_ == 0 && !skip_to_mark(piece)) return;
      if (take_digits(piece)) found(value_);
    }
  }

 private:
  bool skip_to_mark(std::string_view& piece);
  /// True at the end of a whole one.
  bool take_digits(std::string_view& piece);

  std::uint64_t value_ = 0;
  unsigned partial_ = 0;  // characters of it seen, the mark included; 0: none
};

}  // namespace trestle::bench
