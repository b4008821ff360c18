#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/lines.h"

namespace trestle {

/// What the fuzzer decides beside the bytes themselves: where they are cut, what goes wrong, what happens
/// meanwhile. The input's last byte says how many bytes before it are choices, all before those is for the
/// target; so a seed is what comes over the wire and a zero. When the choices are used up every one is 0, and
/// 0 is the friendliest answer.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : bytes_(text_of(data, size)) {
    if (size == 0) return;
    const auto wanted = static_cast<unsigned char>(bytes_.back());
    bytes_.remove_suffix(1);
    const auto count = std::min<std::size_t>(wanted, bytes_.size());
    choices_ = bytes_.substr(bytes_.size() - count);
    bytes_.remove_suffix(count);
  }

  /// The input without its choices.
  std::string_view input() const { return bytes_; }
  /// 0 to most, at most 255.
  std::size_t up_to(std::size_t most) {
    if (choices_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(choices_.front());
    choices_.remove_prefix(1);
    return byte % (most + 1);
  }
  bool none_left() const { return choices_.empty(); }

 private:
  std::string_view bytes_;
  std::string_view choices_;
};

}  // namespace trestle
