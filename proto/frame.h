#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trestle {

/// Header of an unmasked, unfragmented text frame from a server (RFC 6455 section 5.2): FIN, opcode 1, length
/// in 7 bits, 16 or 64 bits, whichever is the shortest that fits.
inline constexpr std::size_t kMaxFrameHeader = 10;
inline constexpr std::size_t frame_header_size(std::size_t payload) {
  return payload < 126 ? 2 : payload < 65536 ? 4 : 10;
}
/// Appends the header for a payload of `size` bytes; `deflated` sets RSV1 (RFC 7692 section 6).
void append_text_frame_header(std::string& out, std::size_t size, bool deflated = false);

inline constexpr unsigned char kPingOpcode = 0x9;
inline constexpr unsigned char kPongOpcode = 0xA;
/// Appends a whole control frame (section 5.5); `payload` is at most 125 bytes.
void append_control_frame(std::string& out, unsigned char opcode, std::string_view payload);

}  // namespace trestle
