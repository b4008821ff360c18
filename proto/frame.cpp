#include "proto/frame.h"

#include <array>
#include <cstdint>

#include "proto/big_endian.h"

namespace trestle {

void append_text_frame_header(std::string& out, std::size_t size, bool deflated) {
  constexpr char kFinText = '\x81';
  constexpr char kFinRsv1Text = '\xC1';
  constexpr char kLength16 = 126;
  constexpr char kLength64 = 127;
  std::array<char, kMaxFrameHeader> header{};
  header[0] = deflated ? kFinRsv1Text : kFinText;
  const std::size_t header_size = frame_header_size(size);
  if (header_size == 2) {
    header[1] = static_cast<char>(size);
  } else {
    header[1] = header_size == 4 ? kLength16 : kLength64;
    put_big_endian(&header[2], size, header_size - 2);
  }
  out.append(header.data(), header_size);
}

void append_control_frame(std::string& out, unsigned char opcode, std::string_view payload) {
  out += static_cast<char>(0x80 | opcode);
  out += static_cast<char>(payload.size());
  out += payload;
}

}  // namespace trestle
