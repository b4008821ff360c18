#pragma once
#include <cstdint>

namespace trestle {

/// An event's place in the bridge's one stream. Starts at 1, rises over all topics, need not be dense; 0 is
/// "before everything".
using Offset = std::uint64_t;
/// A producer's own numbering within one of its epochs; starts at 1.
using Seq = std::uint64_t;
/// Microseconds since 1970 (UTC).
using Micros = std::int64_t;
/// Every integer on the wires is below this, so that JSON numbers carry it exactly (IEEE 754 double, 53
/// bits).
inline constexpr std::uint64_t kIntegerLimit = std::uint64_t{1} << 53;

}  // namespace trestle
