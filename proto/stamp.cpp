#include "proto/stamp.h"

#include "proto/big_endian.h"

namespace trestle {
namespace {
constexpr std::size_t kField = 8;
bool in_range(std::uint64_t value) { return value >= 1 && value < kIntegerLimit; }
}  // namespace

std::array<char, Stamp::kSize> encode(const Stamp& stamp) {
  std::array<char, Stamp::kSize> bytes{};
  put_big_endian(bytes.data(), stamp.epoch, kField);
  put_big_endian(bytes.data() + kField, stamp.seq, kField);
  put_big_endian(bytes.data() + 2 * kField, static_cast<std::uint64_t>(stamp.time), kField);
  return bytes;
}

std::optional<Stamp> decode_stamp(std::string_view bytes) {
  if (bytes.size() != Stamp::kSize) return std::nullopt;
  const std::uint64_t epoch = get_big_endian(bytes.data(), kField);
  const std::uint64_t seq = get_big_endian(bytes.data() + kField, kField);
  const std::uint64_t time = get_big_endian(bytes.data() + 2 * kField, kField);
  if (!in_range(epoch) || !in_range(seq)) return std::nullopt;
  return Stamp{epoch, seq, in_range(time) ? static_cast<Micros>(time) : 0};
}

}  // namespace trestle
