#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "proto/types.h"

namespace trestle {

/// "I have seen everything that matters to me up to here": `<epoch>:<offset>`, or `0` for "nothing yet".
struct Cursor {
  std::string epoch;  ///< decimal digits; empty for the cursor `0`
  Offset offset = 0;
};

/// Nothing unless it is a cursor: an epoch of 1 to 20 digits, an offset below 2^53.
std::optional<Cursor> parse_cursor(std::string_view text);

/// True if epoch `a`, decimal digits, is later than `b`.
bool is_later_epoch(std::string_view a, std::string_view b);

}  // namespace trestle
