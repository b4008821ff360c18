#include "bridge/store/memory_stream.h"

namespace trestle {

MemoryStream::MemoryStream(Micros started) : epoch_(std::to_string(started)) {}

void MemoryStream::append(std::vector<Event>& events) {
  for (auto& event : events) event.offset = ++head_;
}

}  // namespace trestle
