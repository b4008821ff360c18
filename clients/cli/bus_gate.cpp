#include "clients/cli/bus_gate.h"

#include <ostream>
#include <stdexcept>

#include "bridge/core/clock.h"
#include "proto/message.h"
#include "proto/topic.h"

namespace trestle::cli {
namespace {

// What a bridge would refuse as too big, it refuses; this only has to find the type.
constexpr std::size_t kAnySize = 256 * 1024 * 1024;

EventChecker type_checker() {
  EventLimits limits;
  limits.max_bytes = kAnySize;
  auto checker = EventChecker::make(limits, {});
  if (!checker) throw std::logic_error(checker.error().message);
  return std::move(*checker);
}

bool covers(const ProducerGrant& grant, const std::string& pattern) {
  const auto parsed = Pattern::parse(pattern);
  return parsed && any_covers(grant.topics, *parsed);
}

}  // namespace

BusGate::BusGate(std::shared_ptr<const ProducerWatch> producers)
    : gate_(std::move(producers)), checker_(type_checker()) {}

bool BusGate::lets_through(std::vector<zmq::message_t>& frames) {
  const auto* grant = gate_.sender(frames.back());
  if (grant == nullptr) return refuse(Reject::unlisted_key, key_of_sender(frames.back()));
  if (grant->ids.empty() && grant->topics.empty()) return true;
  std::vector<std::string_view> views;
  for (const auto& frame : frames) views.push_back(frame.to_string_view());
  Published message;
  if (const auto why = decode_message(views, message); why != Reject::none) return refuse(why, grant->name);
  if (message.stamp && !grant->allows_id(message.producer)) {
    return refuse(Reject::forbidden_id, grant->tell(message.producer));
  }
  if (!is_allowed_topic(*grant, message.topic, message.payload)) {
    return refuse(Reject::forbidden_topic, grant->tell(message.topic));
  }
  return true;
}

bool BusGate::is_allowed_topic(const ProducerGrant& grant, std::string_view topic, std::string_view payload) {
  if (grant.topics.empty()) return true;
  if (checker_.check(payload) != Reject::none) return false;
  const auto type = escape_type(checker_.type());
  if (type.empty()) return false;
  const bool completed = topic.empty() || topic == type || topic == checker_.type();
  if (!completed) return grant.allows_topic(topic);
  return grant.allows_topic(type) && covers(grant, type + ".*");
}

void BusGate::report(std::ostream& out) {
  for (const auto& report : rejections_.due(read_clock())) {
    out << "trestle bus: " << report.count << " messages refused, " << name_of(report.reason) << " ("
        << report.detail << "), " << report.total << " in all" << std::endl;
  }
}

bool BusGate::refuse(Reject why, std::string_view detail) {
  ++refused_;
  rejections_.add(why, detail);
  return false;
}

}  // namespace trestle::cli
