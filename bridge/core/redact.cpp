#include "bridge/core/redact.h"

#include <utility>

namespace trestle {

EventPtr redacted(const EventPtr& event, Hidden hidden) {
  if (!is_redacted(*event, hidden)) return event;
  auto left = event->policy->redaction->apply(event->payload);
  if (!left) return nullptr;
  if (*left == event->payload) return event;
  auto copy = std::make_shared<Event>();
  copy->offset = event->offset;
  copy->time = event->time;
  copy->appended = event->appended;
  copy->topic = event->topic;
  copy->policy = event->policy;
  copy->payload = std::move(*left);
  return copy;
}

}  // namespace trestle
