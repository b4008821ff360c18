#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/types.h"

namespace trestle {

/// The third frame of a sequenced message: epoch, seq and time, each u64 big endian.
struct Stamp {
  static constexpr std::size_t kSize = 24;
  std::uint64_t epoch = 0;  ///< start of the producer, µs since 1970
  Seq seq = 0;              ///< from 1
  Micros time = 0;          ///< when the event was made
};

std::array<char, Stamp::kSize> encode(const Stamp& stamp);
/// Nothing unless exactly kSize bytes with epoch and seq in [1, 2^53). A time that is not in there comes out
/// as 0: which event it is is known all the same.
std::optional<Stamp> decode_stamp(std::string_view bytes);

}  // namespace trestle
