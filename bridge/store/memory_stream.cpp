#include "bridge/store/memory_stream.h"

namespace trestle {

MemoryStream::MemoryStream(Micros started)
    : epoch_(std::make_shared<const std::string>(std::to_string(started))) {}

void MemoryStream::append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
                          const std::vector<ProducerMark>&) {
  for (const auto& event : events) event->offset = ++head_;
  place(lost, events, head_);
}

}  // namespace trestle
