#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trestle {

/// Follows the frames in what a client sends, as far as to know where each begins, for a rule that
/// websocketpp does not check: once permessage-deflate is agreed, only a message's first frame may have RSV1
/// (RFC 7692 section 6.1).
class FrameWatch {
 public:
  /// Takes the next bytes. The place among them of a continuation frame's first byte that has RSV1, if there
  /// is one; what follows is not looked at.
  std::optional<std::size_t> find_stray_rsv1(std::string_view bytes);

 private:
  enum class At { first_byte, length, extended_length, payload };
  void take_length(unsigned char byte);

  At at_ = At::first_byte;
  std::size_t length_bytes_ = 0;  // of the extended length, still to come
  std::size_t mask_ = 0;
  std::uint64_t left_ = 0;  // masking key and payload still to come
};

}  // namespace trestle
