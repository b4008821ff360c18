#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace trestle {

/// One step of a JSON pointer (RFC 6901): the name of a member, or an element's place in an array.
struct PointerToken {
  static constexpr std::uint64_t kNoIndex = ~std::uint64_t{0};
  std::string name;                ///< unescaped
  std::uint64_t index = kNoIndex;  ///< kNoIndex if the name can't be an array's index
};

/// The steps of a pointer such as "/taskConfig/id". Fails, saying why, for text that is no pointer, and for
/// "", the whole document.
Result<std::vector<PointerToken>> split_pointer(std::string_view pointer);

}  // namespace trestle
