#include "bridge/front/frame_watch.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr unsigned char kRsv1 = 0x40;
constexpr unsigned char kOpcode = 0x0f;
constexpr unsigned char kContinuation = 0x0;
constexpr std::size_t kMaskSize = 4;

}  // namespace

std::optional<std::size_t> FrameWatch::find_fault(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    if (at_ == At::payload) {
      const auto step = std::min<std::uint64_t>(left_, bytes.size() - i);
      left_ -= step;
      i += static_cast<std::size_t>(step);
      if (left_ == 0) at_ = At::first_byte;
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (at_ == At::first_byte) {
      if ((byte & kRsv1) != 0 && (byte & kOpcode) == kContinuation) return i;
      at_ = At::length;
    } else if (!take_length(byte)) {
      return i;
    }
    ++i;
  }
  return std::nullopt;
}

// False if the length is longer than it needs to be, or than any may be.
bool FrameWatch::take_length(unsigned char byte) {
  if (at_ == At::length) {
    mask_ = (byte & 0x80) != 0 ? kMaskSize : 0;
    const unsigned char length = byte & 0x7f;
    length_bytes_ = length == 126 ? 2 : length == 127 ? 8 : 0;
    shortest_ = length == 126 ? 126 : length == 127 ? 65536 : 0;
    left_ = length_bytes_ == 0 ? length : 0;
    at_ = At::extended_length;
  } else {
    left_ = left_ << 8 | byte;
    --length_bytes_;
  }
  if (length_bytes_ > 0) return true;
  if (left_ < shortest_ || left_ >> 63 != 0) return false;
  left_ += mask_;
  at_ = left_ == 0 ? At::first_byte : At::payload;
  return true;
}

}  // namespace trestle
