#include "clients/bench/stamp.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace trestle::bench {
namespace {

constexpr unsigned kDigits = 16;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::uint64_t ns_of(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

std::uint64_t now_ns() { return ns_of(std::chrono::steady_clock::now()); }

std::string stamped_event(std::string_view type, std::uint64_t time, std::size_t size) {
  char stamp[kDigits + 2];
  std::snprintf(stamp, sizeof stamp, "@%016" PRIx64, time);
  std::string event = "{\"type\":\"" + std::string(type) + "\",\"at\":\"" + stamp + "\",\"pad\":\"";
  if (event.size() + 2 < size) event.append(size - event.size() - 2, 'x');
  return event + "\"}";
}

bool StampFinder::skip_to_mark(std::string_view& piece) {
  const auto* mark = static_cast<const char*>(std::memchr(piece.data(), '@', piece.size()));
  if (mark == nullptr) return false;
  piece.remove_prefix(static_cast<std::size_t>(mark - piece.data()) + 1);
  partial_ = 1;
  value_ = 0;
  return true;
}

bool StampFinder::take_digits(std::string_view& piece) {
  while (!piece.empty()) {
    const int digit = digit_of(piece.front());
    if (digit < 0) {  // some other '@'
      partial_ = 0;
      return false;
    }
    piece.remove_prefix(1);
    value_ = value_ << 4 | static_cast<unsigned>(digit);
    if (partial_++ < kDigits) continue;
    partial_ = 0;
    return true;
  }
  return false;
}

}  // namespace trestle::bench
