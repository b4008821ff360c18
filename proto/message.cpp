#include "proto/message.h"

#include "proto/topic.h"

namespace trestle {

Reject decode_message(const std::vector<std::string_view>& frames, Published& out) {
  out = Published{};
  switch (frames.size()) {
    case 1: out.payload = frames[0]; return Reject::none;
    case 2:
      out.topic = frames[0];
      out.payload = frames[1];
      return Reject::none;
    case 4:
      out.topic = frames[0];
      out.producer = frames[1];
      out.payload = frames[3];
      if (!is_producer_id(out.producer)) return Reject::bad_producer;
      out.stamp = decode_stamp(frames[2]);
      return out.stamp && out.stamp->time != 0 ? Reject::none : Reject::bad_stamp;
    default: return Reject::frame_count;
  }
}

}  // namespace trestle
