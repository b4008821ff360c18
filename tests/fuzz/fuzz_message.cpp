// Frames as a hostile peer may send them: the input's first byte is their number, each is preceded by its
// size.
#include <vector>

#include "proto/message.h"
#include "proto/topic.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

std::size_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

std::vector<std::string_view> frames_of(std::string_view input) {
  std::vector<std::string_view> frames(take_byte(input) % 8);
  for (auto& frame : frames) {
    const std::size_t size = take_byte(input);
    frame = input.substr(0, size);
    input.remove_prefix(frame.size());
  }
  return frames;
}

void check_stamp(const Stamp& stamp, std::string_view bytes) {
  const auto again = encode(stamp);
  MUST(std::string_view(again.data(), again.size()) == bytes);
  MUST(stamp.epoch >= 1 && stamp.epoch < kIntegerLimit);
  MUST(stamp.seq >= 1 && stamp.seq < kIntegerLimit);
  MUST(stamp.time >= 1 && static_cast<std::uint64_t>(stamp.time) < kIntegerLimit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frames = frames_of(text_of(data, size));
  Published out;
  const Reject reject = decode_message(frames, out);
  const bool known_shape = frames.size() == 1 || frames.size() == 2 || frames.size() == 4;
  MUST((reject == Reject::frame_count) == !known_shape);
  // Who sees a stamp may believe the id and the place.
  MUST(!out.stamp || (is_producer_id(out.producer) && out.stamp->epoch >= 1 && out.stamp->seq >= 1));
  MUST(reject == Reject::none || !out.stamp || (reject == Reject::bad_stamp && out.stamp->time == 0));
  if (reject != Reject::none) return 0;
  MUST(out.payload == frames.back());
  MUST(out.topic == (frames.size() > 1 ? frames[0] : ""));
  MUST(out.stamp.has_value() == (frames.size() == 4));
  if (!out.stamp) return 0;
  MUST(is_producer_id(out.producer) && out.producer == frames[1]);
  check_stamp(*out.stamp, frames[2]);
  return 0;
}
