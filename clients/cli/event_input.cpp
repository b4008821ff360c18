#include "clients/cli/event_input.h"

#include "proto/topic.h"

namespace trestle::cli {
namespace {

std::string words_for(Reject reason) {
  switch (reason) {
    case Reject::too_big: return "the event is larger than 512 KiB";
    case Reject::invalid_utf8: return "not UTF-8";
    case Reject::not_json: return "not JSON";
    case Reject::not_object: return "JSON, but not an object";
    case Reject::too_deep: return "nested deeper than 64 levels";
    case Reject::no_type: return "there is no string member \"type\"";
    case Reject::duplicate_member: return "the member \"type\" is there twice";
    default: return "refused";
  }
}

std::string named(Reject reason, const std::string& words) {
  return std::string(name_of(reason)) + ": " + words;
}

}  // namespace

EventInput::EventInput(std::string topic)
    : topic_(std::move(topic)), checker_(std::move(*EventChecker::make(EventLimits{}, {}))) {}

std::optional<std::string> EventInput::problem(std::string_view event) {
  const Reject reason = checker_.check(event);
  if (reason != Reject::none) return named(reason, words_for(reason));
  const std::string& type = checker_.type();
  if (is_reserved_type(type))
    return named(Reject::reserved, "the type \"" + type + "\" is one of Trestle's own");
  const std::string type_topic = escape_type(type);
  if (type_topic.empty()) return named(Reject::bad_topic, "the type \"" + type + "\" makes no topic");
  if (!topic_.empty() && !topic_starts_with(topic_, type_topic)) {
    return named(Reject::topic_mismatch,
                 "the topic \"" + topic_ + "\" must start with \"" + type_topic + "\"");
  }
  return std::nullopt;
}

}  // namespace trestle::cli
