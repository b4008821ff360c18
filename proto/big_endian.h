#pragma once
#include <cstddef>
#include <cstdint>

namespace trestle {

/// Writes the low `width` bytes (1 to 8) of `value` to `to`, most significant first.
inline void put_big_endian(char* to, std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i-- > 0; value >>= 8) to[i] = static_cast<char>(value & 0xFF);
}

/// Reads `width` bytes (1 to 8) from `from`, most significant first.
inline std::uint64_t get_big_endian(const char* from, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

}  // namespace trestle
