#include "bridge/core/joined.h"

namespace trestle {

bool Joined::join(const Pressure::MergeablePtr& newer) {
  const auto text = newest_->text();
  const auto size = newer->event->payload.size() + before_.size() + text.size();
  if (newest_->event->topic != newer->event->topic || newest_->merge_by != newer->merge_by || size > kMax) {
    return false;
  }
  before_ += text;
  newest_ = newer;
  return true;
}

EventPtr Joined::whole() const {
  const auto& newest = *newest_->event;
  auto event = std::make_shared<Event>();
  event->offset = newest.offset;
  event->time = newest.time;
  event->appended = newest.appended;
  event->topic = newest.topic;
  event->policy = newest.policy;
  event->payload.reserve(payload_size());
  event->payload.append(newest.payload, 0, newest_->from);
  event->payload.append(before_);
  event->payload.append(newest.payload, newest_->from);
  return event;
}

}  // namespace trestle
