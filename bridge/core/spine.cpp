#include "bridge/core/spine.h"

#include "bridge/core/system_events.h"

namespace trestle {

Spine::Spine(const PolicyTable& policies, EventLimits limits, Stream& stream, ProducerLimits producer_limits)
    : policies_(policies),
      stream_(stream),
      intake_(policies, limits),
      producers_(producer_limits, rejections_) {}

void Spine::message(const std::vector<std::string_view>& frames, Now now, bool overloaded,
                    const ProducerGrant* grant) {
  Published message;
  const auto why = decode_message(frames, message);
  if (why != Reject::none && !message.stamp) {
    return rejections_.add(why, std::to_string(frames.size()) + " frames");
  }
  if (grant != nullptr && message.stamp && !grant->allows_id(message.producer)) {
    return rejections_.add(Reject::forbidden_id, grant->tell(message.producer));
  }
  if (!overloaded) return take(message, why, now, grant);
  if (message.stamp) {
    ++counters_.deferred;
  } else {
    rejections_.add(Reject::overload, message.topic);
  }
}

// `why`: what is wrong with it already.
void Spine::take(const Published& message, Reject why, Now now, const ProducerGrant* grant) {
  Event event;
  if (why == Reject::none) why = intake_.check(message, now.wall, event);
  if (why != Reject::none) {
    rejections_.add(why, message.producer.empty() ? message.topic : message.producer);
  } else if (grant != nullptr && !grant->allows_topic(event.topic)) {
    why = Reject::forbidden_topic;
    rejections_.add(why, grant->tell(event.topic));
  }
  if (why != Reject::none) {
    if (!message.stamp) return;
    event = {};  // keeps its place: asking for it again would not make it better
  }
  if (message.stamp) {
    producers_.offer(message.producer, *message.stamp, std::move(event), now, ready_);
  } else {
    ready_.events.push_back(std::move(event));
  }
}

void Spine::control(std::string_view peer, const std::vector<std::string_view>& frames, Now now,
                    bool overloaded, const ProducerGrant* grant) {
  if (frames.size() == 5 && frames[0] == kControlEvent) {
    return message({frames.begin() + 1, frames.end()}, now, overloaded, grant);
  }
  if (frames.size() != 1)
    return rejections_.add(Reject::bad_control, std::to_string(frames.size()) + " frames");
  const auto decoded = decode_from_producer(frames[0]);
  if (!decoded) return rejections_.add(Reject::bad_control, decoded.error().message);
  if (grant != nullptr && !grant->allows_id(decoded->producer)) {
    producers_.forbid(peer, *decoded);
    return rejections_.add(Reject::forbidden_id, grant->tell(decoded->producer));
  }
  if (!producers_.has_room()) return rejections_.add(Reject::overload, decoded->producer);
  producers_.control(peer, *decoded, now, ready_);
}

void Spine::tick(Now now) {
  stream_.tick(now);
  producers_.tick(now, ready_);
  for (auto& report : rejections_.due(now)) {
    ready_.events.push_back(rejected_event(report, now.wall, policies_));
    reports_.push_back(std::move(report));
  }
  tell_health(now);
}

void Spine::restore(const std::vector<ProducerMark>& producers, Now now) {
  producers_.restore(producers, now);
}

void Spine::undelivered(const ToProducer& answer, bool unreachable) {
  ++counters_.undelivered;
  producers_.undelivered(answer, unreachable);
}

void Spine::tell_health(Now now) {
  if (stream_.trouble() == told_trouble_) return;
  told_trouble_ = stream_.trouble();
  ready_.events.push_back(health_event(told_trouble_, now.wall, policies_));
}

Spine::Output Spine::commit(Now now) {
  for (const auto& change : producers_.take_changes())
    ready_.events.push_back(producer_event(change, policies_));
  counters_.deferred +=
      producers_.dropped_from_hold() - std::exchange(counted_drops_, producers_.dropped_from_hold());
  Output output;
  output.batch = append_ready(now);
  producers_.after_commit(now, stream_.trouble().empty());
  output.to_producers = producers_.take_messages();
  output.reports = std::exchange(reports_, {});
  return output;
}

BatchPtr Spine::append_ready(Now now) {
  const auto marks = producers_.take_marks();
  if (ready_.events.empty() && ready_.lost.empty() && marks.empty()) return nullptr;
  std::vector<std::shared_ptr<Event>> events;
  events.reserve(ready_.events.size());
  for (auto& event : ready_.events) {
    event.appended = now.wall;
    counters_.bytes += event.payload.size();
    events.push_back(std::make_shared<Event>(std::move(event)));
  }
  counters_.events += events.size();
  for (auto& lost : ready_.lost) {
    lost.appended = now.wall;
    counters_.lost += lost.to - lost.from + 1;
  }
  stream_.append(events, ready_.lost, marks);

  auto batch = std::make_shared<Batch>();
  batch->events.assign(events.begin(), events.end());
  batch->lost = std::exchange(ready_.lost, {});
  batch->head = stream_.head();
  batch->epoch = stream_.epoch();
  batch->degraded = !stream_.trouble().empty();
  ready_.events.clear();
  return batch;
}

}  // namespace trestle
