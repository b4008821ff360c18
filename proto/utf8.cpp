#include "proto/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace trestle {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// How a character that is not ASCII goes on, told by its first byte.
struct Form {
  std::size_t size;   // in bytes; 0: nothing starts like this
  unsigned char low;  // what the second byte may be
  unsigned char high;
};

constexpr Form form_of(unsigned char first) {
  if (first < 0xc2) return {0, 0, 0};
  if (first < 0xe0) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

// The size of the character that starts at `at`; 0 if none does.
std::size_t character(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const auto form = form_of(byte(0));
  if (form.size == 0 || bytes.size() - at < form.size) return 0;
  if (byte(1) < form.low || byte(1) > form.high) return 0;
  for (std::size_t i = 2; i < form.size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return form.size;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, bytes.data() + at, sizeof eight);
      if ((eight & kHighBits) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    if (static_cast<unsigned char>(bytes[at]) < 0x80) {
      ++at;
      continue;
    }
    const auto size = character(bytes, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace trestle
