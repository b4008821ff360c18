#include "bridge/core/system_events.h"

#include "proto/json_text.h"

namespace trestle {
namespace {

void add_text(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

void add_number(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

Event make(std::string topic, std::string payload, Micros time, const PolicyTable& policies) {
  Event event;
  event.topic = std::move(topic);
  event.payload = std::move(payload);
  event.time = time;
  event.policy = &policies.find(event.topic);
  return event;
}

}  // namespace

Event producer_event(const Producers::Change& change, const PolicyTable& policies) {
  std::string json = "{\"type\":\"$sys.producer\"";
  add_text(json, "id", change.id);
  add_text(json, "state", name_of(change.presence));
  add_number(json, "epoch", change.epoch);
  add_number(json, "seq", change.seq);
  add_number(json, "since", static_cast<std::uint64_t>(change.since));
  json += '}';
  return make("$sys.producer." + change.id, std::move(json), change.since, policies);
}

Event rejected_event(const Rejections::Report& report, Micros now, const PolicyTable& policies) {
  std::string json = "{\"type\":\"$sys.rejected\"";
  add_text(json, "reason", name_of(report.reason));
  add_number(json, "count", report.count);
  add_number(json, "total", report.total);
  if (!report.detail.empty()) add_text(json, "detail", report.detail);
  json += '}';
  return make("$sys.rejected", std::move(json), now, policies);
}

Event health_event(const std::string& trouble, Micros now, const PolicyTable& policies) {
  std::string json = "{\"type\":\"$sys.health\"";
  add_text(json, "state", trouble.empty() ? "ok" : "degraded");
  if (!trouble.empty()) add_text(json, "reason", trouble);
  json += '}';
  return make("$sys.health", std::move(json), now, policies);
}

}  // namespace trestle
