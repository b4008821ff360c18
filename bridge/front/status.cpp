#include "bridge/front/status.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>

#include "bridge/core/door.h"
#include "bridge/version.h"

namespace trestle {
namespace {

constexpr std::size_t kMaxListed = 1'000;

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void key(Writer& json, std::string_view name) {
  json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void put(Writer& json, std::string_view name, std::string_view text) {
  key(json, name);
  json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
void put(Writer& json, std::string_view name, std::uint64_t number) {
  key(json, name);
  json.Uint64(number);
}
void put(Writer& json, std::string_view name, double number) {
  key(json, name);
  json.Double(number);
}

std::string_view name_of(Form form) { return form == Form::bare ? "bare" : "envelope"; }

void write_session(Writer& json, const SessionStatus& session) {
  json.StartObject();
  put(json, "id", session.id);
  put(json, "address", session.address);
  put(json, "identity", session.identity);
  if (!session.certificate.empty()) put(json, "certificate", session.certificate);
  put(json, "endpoint", session.endpoint);
  put(json, "format", name_of(session.form));
  key(json, "meta");
  json.Bool(session.form == Form::meta);
  key(json, "deflate");
  json.Bool(session.deflate);
  key(json, "topics");
  json.StartArray();
  for (const auto& topic : session.topics)
    json.String(topic.data(), static_cast<rapidjson::SizeType>(topic.size()));
  json.EndArray();
  put(json, "since", static_cast<std::uint64_t>(session.since));
  put(json, "sent", session.sent);
  put(json, "bytes", session.bytes);
  put(json, "queued", std::uint64_t{session.queued});
  json.EndObject();
}

bool may_know(const Rights& reader, std::string_view topic) { return may_pass(Door::status, reader, topic); }

bool may_know_all(const Rights& reader, std::string_view topics) {
  const auto pattern = Pattern::parse(topics);
  return pattern && may_pass(Door::status, reader, *pattern);
}

// What it is about names files, and quotes them: scopes and names that are other people's.
void put_trouble(Writer& json, std::string_view trouble, const Rights& reader) {
  if (trouble.empty()) return;
  put(json, "trouble",
      may_know_all(reader, "$sys.>") ? trouble : "told to who may read $sys.>, and in the log");
}

void write_sessions(Writer& json, const std::vector<ShardStatus>& shards, const Rights& reader) {
  std::vector<const SessionStatus*> sessions;
  std::size_t connections = 0;
  for (const auto& shard : shards) {
    connections += shard.connections;
    for (const auto& session : shard.sessions) sessions.push_back(&session);
  }
  if (may_know_all(reader, "$sys.>")) {
    key(json, "sessions");
    json.StartArray();
    for (std::size_t i = 0; i < std::min(sessions.size(), kMaxListed); ++i) write_session(json, *sessions[i]);
    json.EndArray();
  }
  put(json, "sessions_total", std::uint64_t{sessions.size()});
  put(json, "connections_total", std::uint64_t{connections});
}

void write_producer(Writer& json, const Producers::Info& producer) {
  json.StartObject();
  put(json, "id", producer.id);
  put(json, "state", name_of(producer.presence));
  put(json, "epoch", producer.epoch);
  put(json, "seq", producer.seq);
  put(json, "events", producer.events);
  put(json, "lost", producer.lost);
  if (producer.silent) put(json, "last_seen_ms", static_cast<std::uint64_t>(producer.silent->count()));
  json.EndObject();
}

void write_producers(Writer& json, const std::vector<Producers::Info>& producers, const Rights& reader) {
  std::size_t total = 0;
  key(json, "producers");
  json.StartArray();
  for (const auto& producer : producers) {
    if (!may_know(reader, "$sys.producer." + producer.id)) continue;
    if (total++ < kMaxListed) write_producer(json, producer);
  }
  json.EndArray();
  put(json, "producers_total", std::uint64_t{total});
}

void write_topics(Writer& json, const std::vector<ShardStatus::Topic>& topics, const Rights& reader) {
  std::size_t total = 0;
  key(json, "topics");
  json.StartArray();
  for (const auto& topic : topics) {
    if (!may_know(reader, topic.topic) || total++ >= kMaxListed) continue;
    json.StartObject();
    put(json, "topic", topic.topic);
    put(json, "offset", topic.offset);
    put(json, "time", static_cast<std::uint64_t>(topic.time));
    json.EndObject();
  }
  json.EndArray();
  put(json, "topics_total", std::uint64_t{total});
}

void write_rates(Writer& json, const SpineStatus& spine, const std::vector<ShardStatus>& shards) {
  double deliveries = 0;
  double bytes = 0;
  for (const auto& shard : shards) {
    deliveries += shard.deliveries_per_second;
    bytes += shard.bytes_per_second;
  }
  key(json, "rates");
  json.StartObject();
  put(json, "events_in", spine.events_per_second);
  put(json, "deliveries", deliveries);
  put(json, "bytes_out", bytes);
  json.EndObject();
}

void write_counters(Writer& json, const SpineStatus& spine, const FrontStatus& front) {
  ShardStatus sum;
  for (const auto& shard : front.shards) {
    sum.deliveries += shard.deliveries;
    sum.bytes_out += shard.bytes_out;
    sum.deflated += shard.deflated;
    sum.deflate_saved += shard.deflate_saved;
    sum.counters.accepted += shard.counters.accepted;
    sum.counters.too_slow += shard.counters.too_slow;
    sum.counters.coalesced += shard.counters.coalesced;
    sum.counters.catch_ups += shard.counters.catch_ups;
    sum.counters.heartbeat_lost += shard.counters.heartbeat_lost;
    sum.counters.timed_out += shard.counters.timed_out;
    sum.counters.refused += shard.counters.refused;
    sum.counters.bad_requests += shard.counters.bad_requests;
    sum.counters.bad_origin += shard.counters.bad_origin;
    sum.counters.auth_failed += shard.counters.auth_failed;
    sum.counters.backed_off += shard.counters.backed_off;
    sum.counters.turned_away += shard.counters.turned_away;
  }
  key(json, "counters");
  json.StartObject();
  put(json, "events", spine.counters.events);
  put(json, "event_bytes", spine.counters.bytes);
  put(json, "lost", spine.counters.lost);
  put(json, "deferred", spine.counters.deferred);
  put(json, "undelivered", spine.counters.undelivered);
  put(json, "deliveries", sum.deliveries);
  put(json, "bytes_out", sum.bytes_out);
  put(json, "deflated", sum.deflated);
  put(json, "deflate_saved", sum.deflate_saved);
  put(json, "connections", sum.counters.accepted);
  put(json, "too_slow", sum.counters.too_slow);
  put(json, "coalesced", sum.counters.coalesced);
  put(json, "catch_ups", sum.counters.catch_ups);
  put(json, "heartbeat_lost", sum.counters.heartbeat_lost);
  put(json, "timed_out", sum.counters.timed_out);
  put(json, "refused", sum.counters.refused);
  put(json, "bad_requests", sum.counters.bad_requests);
  put(json, "bad_origin", sum.counters.bad_origin);
  put(json, "auth_failed", sum.counters.auth_failed);
  put(json, "backed_off", sum.counters.backed_off);
  put(json, "turned_away", sum.counters.turned_away + front.turned_away);
  put(json, "accept_pauses", front.accept_pauses);
  json.EndObject();
}

void write_pressure(Writer& json, const std::vector<ShardStatus>& shards, const Rights& reader) {
  std::map<std::string, PressureCounters> by_policy;
  for (const auto& shard : shards) {
    for (const auto& line : shard.pressure) {
      if (!may_know_all(reader, line.match)) continue;
      auto& sum = by_policy[line.match];
      sum.replaced += line.counters.replaced;
      sum.merged += line.counters.merged;
      sum.dropped += line.counters.dropped;
      sum.reread += line.counters.reread;
    }
  }
  key(json, "pressure");
  json.StartObject();
  for (const auto& [match, counters] : by_policy) {
    key(json, match);
    json.StartObject();
    put(json, "replaced", counters.replaced);
    put(json, "merged", counters.merged);
    put(json, "dropped", counters.dropped);
    put(json, "reread", counters.reread);
    json.EndObject();
  }
  json.EndObject();
}

void write_curve(Writer& json, const std::optional<CurveStatus>& curve, const Rights& reader) {
  if (!curve) return;
  key(json, "curve");
  json.StartObject();
  put(json, "listed", std::uint64_t{curve->listed});
  put(json, "refused", curve->refused);
  put_trouble(json, curve->trouble, reader);
  json.EndObject();
}

void write_tls(Writer& json, const TlsStatus& tls, const Rights& reader) {
  if (!tls.used) return;
  key(json, "tls");
  json.StartObject();
  put(json, "name", tls.certificate.name);
  put(json, "from", static_cast<std::uint64_t>(tls.certificate.from));
  put(json, "until", static_cast<std::uint64_t>(tls.certificate.until));
  put_trouble(json, tls.trouble, reader);
  put(json, "failed_handshakes", tls.failed_handshakes);
  json.EndObject();
}

void write_auth(Writer& json, const AuthStatus& auth, const Rights& reader) {
  if (!auth.used) return;
  key(json, "auth");
  json.StartObject();
  put(json, "revoked", std::uint64_t{auth.revoked});
  put_trouble(json, auth.trouble, reader);
  json.EndObject();
}

void write_rejections(Writer& json, const SpineStatus& spine) {
  key(json, "rejections");
  json.StartObject();
  for (std::size_t i = 1; i < spine.rejections.size(); ++i) {
    put(json, name_of(static_cast<Reject>(i)), spine.rejections[i]);
  }
  json.EndObject();
}

}  // namespace

std::string status_json(const SpineStatus& spine, const FrontStatus& front, const Rights& reader) {
  const auto& shards = front.shards;
  rapidjson::StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  key(json, "success");
  json.Bool(true);
  key(json, "data");
  json.StartObject();
  put(json, "version", kVersion);
  put(json, "epoch", spine.epoch);
  put(json, "offset", spine.head);
  put(json, "uptime_s", front.uptime);
  put(json, "state", spine.trouble.empty() ? "ok" : "degraded");
  put_trouble(json, spine.trouble, reader);
  write_sessions(json, shards, reader);
  write_producers(json, spine.producers, reader);
  write_topics(json, shards.empty() ? std::vector<ShardStatus::Topic>() : shards.front().topics, reader);
  write_rates(json, spine, shards);
  write_counters(json, spine, front);
  write_pressure(json, shards, reader);
  write_rejections(json, spine);
  write_tls(json, front.tls, reader);
  write_curve(json, spine.curve, reader);
  write_auth(json, front.auth, reader);
  json.EndObject();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace trestle
