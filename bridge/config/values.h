#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

/// The words people write for numbers, durations and sizes. Errors quote what was written and say what would
/// be right.
namespace trestle {

/// What may be written between, both included.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

/// Kinds of number that carry a unit; a bare number is refused, except 0.
struct Scale {
  struct Unit {
    std::string name;
    std::uint64_t factor;
  };
  std::string noun;
  std::string usual_unit;   ///< for suggestions
  std::vector<Unit> units;  ///< printing takes the first that divides the value
};
const Scale& durations();  ///< in ms: ms, s, m, h, d
const Scale& sizes();      ///< in bytes: B, KiB, MiB, GiB, and the decimal KB, MB, GB

Result<std::uint64_t> parse_quantity(const Scale& scale, std::string_view text, Range range);
std::string print_quantity(const Scale& scale, std::uint64_t value);

/// A whole number, decimal: 010 is an error, since YAML 1.1 would read it as eight.
Result<std::uint64_t> parse_count(std::string_view text, Range range);

/// true, yes, on, false, no, off, as YAML 1.1 has them, in upper or lower case.
Result<bool> parse_boolean(std::string_view text);

/// A JSON pointer to a member (RFC 6901): "/taskConfig/id". At most 255 bytes.
Result<std::string> parse_pointer(std::string_view text);

}  // namespace trestle
