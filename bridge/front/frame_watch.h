#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trestle {

/// Follows the frames in what a client sends, as far as to know where each begins, for rules that websocketpp
/// does not check, or not with the right answer: the length has its shortest form and its top bit is 0
/// (RFC 6455 section 5.2); once permessage-deflate is agreed, only a message's first frame may have RSV1
/// (RFC 7692 section 6.1).
class FrameWatch {
 public:
  /// Takes the next bytes. The place among them of the one that breaks a rule, if there is one; what follows
  /// is not looked at.
  std::optional<std::size_t> find_fault(std::string_view bytes);

 private:
  enum class At { first_byte, length, extended_length, payload };
  bool take_length(unsigned char byte);

  At at_ = At::first_byte;
  std::size_t length_bytes_ = 0;  // of the extended length, still to come
  std::uint64_t shortest_ = 0;    // that needs so many
  std::size_t mask_ = 0;
  std::uint64_t left_ = 0;  // masking key and payload still to come
};

}  // namespace trestle
