#include "bridge/core/intake.h"

#include <stdexcept>

#include "proto/topic.h"

namespace trestle {
namespace {

EventChecker checker_for(const PolicyTable& policies, EventLimits limits) {
  auto checker = EventChecker::make(limits, policies.keys());
  if (!checker) throw std::invalid_argument(checker.error().message);
  return std::move(*checker);
}

}  // namespace

Intake::Intake(const PolicyTable& policies, EventLimits limits)
    : policies_(policies), checker_(checker_for(policies, limits)) {}

Reject Intake::check(const Published& message, Micros arrived, Event& out) {
  if (is_system_topic(message.topic)) return Reject::reserved;
  if (const auto why = checker_.check(message.payload); why != Reject::none) return why;
  // Before the cache: a type of half a megabyte, each time another, would fill the memory. Escaping makes it
  // no shorter.
  if (checker_.type().size() > kMaxTopic) return Reject::bad_topic;
  const auto& type = info_of(checker_.type());
  if (type.reserved) return Reject::reserved;
  if (type.topic.empty()) return Reject::bad_topic;
  // Also where the topic is given: whoever reads the event may look for its key in the payload.
  if (type.keyed != nullptr && checker_.at(type.key_index).state == Found::State::duplicate) {
    return Reject::duplicate_member;
  }

  if (message.topic.empty() || message.topic == type.topic || message.topic == checker_.type()) {
    if (const auto why = complete_topic(type, out.topic); why != Reject::none) return why;
  } else {
    if (!is_topic(message.topic)) return Reject::bad_topic;
    if (!topic_starts_with(message.topic, type.topic)) return Reject::topic_mismatch;
    out.topic.assign(message.topic);
  }
  out.policy = policy_of(out.topic);
  const auto& redaction = out.policy->redaction;
  if (redaction && redaction->is_ambiguous(message.payload)) return Reject::duplicate_member;
  out.time = message.stamp ? message.stamp->time : arrived;
  out.payload.assign(message.payload);
  return Reject::none;
}

const Intake::TypeInfo& Intake::info_of(const std::string& type) {
  if (const auto known = types_.find(type); known != types_.end()) return known->second;
  if (types_.size() >= kMaxCached) types_.clear();
  TypeInfo info;
  info.reserved = is_reserved_type(type);
  info.topic = escape_type(type);
  info.keyed = policies_.key_policy(info.topic);
  if (info.keyed != nullptr) info.key_index = policies_.key_index(*info.keyed);
  return types_.emplace(type, std::move(info)).first->second;
}

Reject Intake::complete_topic(const TypeInfo& type, std::string& topic) const {
  if (type.keyed == nullptr) {
    topic = type.topic;
    return Reject::none;
  }
  const auto& key = checker_.at(type.key_index);
  auto why = Reject::none;
  topic = join_topic(type.topic, key.state == Found::State::value ? key.text : std::string_view(), why);
  return why;
}

const Policy* Intake::policy_of(const std::string& topic) {
  if (const auto known = topics_.find(topic); known != topics_.end()) return known->second;
  if (topics_.size() >= kMaxCached) topics_.clear();
  return topics_.emplace(topic, &policies_.find(topic)).first->second;
}

}  // namespace trestle
