#include "proto/control.h"

#include <array>

#include "proto/json_object.h"
#include "proto/json_text.h"
#include "proto/topic.h"

namespace trestle {
namespace {

constexpr std::uint64_t kVersion = 1;

template <class Kind>
using Names = std::array<std::pair<std::string_view, Kind>, 5>;

constexpr Names<FromProducer::Kind> kFromProducer = {{{"hello", FromProducer::Kind::hello},
                                                      {"beat", FromProducer::Kind::beat},
                                                      {"gone", FromProducer::Kind::gone},
                                                      {"result", FromProducer::Kind::result},
                                                      {"bye", FromProducer::Kind::bye}}};
constexpr Names<FromBridge::Kind> kFromBridge = {{{"welcome", FromBridge::Kind::welcome},
                                                  {"ack", FromBridge::Kind::ack},
                                                  {"replay", FromBridge::Kind::replay},
                                                  {"refused", FromBridge::Kind::refused},
                                                  {"command", FromBridge::Kind::command}}};

template <class Kind>
std::string_view name_in(const Names<Kind>& names, Kind kind) {
  for (const auto& [name, value] : names) {
    if (value == kind) return name;
  }
  return "";
}

template <class Kind>
Kind kind_in(const Names<Kind>& names, JsonObject& in) {
  const std::string type = in.string("type");
  std::string known;
  for (const auto& [name, value] : names) {
    if (name == type) return value;
    known.append(known.empty() ? "" : ", ").append(name);
  }
  in.fail("\"type\" must be one of " + known);
  return names.front().second;
}

/// Puts one message together, starting with the members that all have.
class Message {
 public:
  Message(std::string_view type, std::string_view producer, std::uint64_t epoch) {
    text_ = "{\"type\":";
    append_json_string(text_, type);
    number("v", kVersion);
    string("producer", producer);
    number("epoch", epoch);
  }
  void number(std::string_view name, std::uint64_t value) { member(name) += std::to_string(value); }
  void string(std::string_view name, std::string_view value) { append_json_string(member(name), value); }
  void raw(std::string_view name, std::string_view value) {
    member(name).append(value.empty() ? "null" : value);
  }
  void ranges(std::string_view name, const std::vector<std::pair<Seq, Seq>>& ranges) {
    std::string& out = member(name).append("[");
    const char* comma = "";
    for (const auto& [from, to] : ranges) {
      out.append(comma).append("[" + std::to_string(from) + "," + std::to_string(to) + "]");
      comma = ",";
    }
    out.append("]");
  }
  std::string take() { return std::move(text_ += '}'); }

 private:
  std::string& member(std::string_view name) { return text_.append(",\"").append(name).append("\":"); }
  std::string text_;
};

template <class Decoded>
void read_common(JsonObject& in, Decoded& out) {
  if (in.integer("v") != kVersion) in.fail("\"v\" must be 1, the only version there is");
  out.producer = in.string("producer");
  if (!is_producer_id(out.producer)) in.fail("\"producer\" must be 1 to 64 characters of A-Z a-z 0-9 _ -");
  out.epoch = in.integer("epoch");
}

void read_range(JsonObject& in, Seq& from, Seq& to) {
  from = in.integer("from");
  to = in.integer("to");
  if (from > to) in.fail("\"from\" must not be above \"to\"");
}

void read_held(JsonObject& in, FromProducer& out) {
  out.first = in.integer("first");
  out.last = in.integer("last");
  if (out.first > out.last + 1) in.fail("\"first\" must be at most \"last\" + 1");
}

void read_rest(JsonObject& in, FromProducer& out) {
  switch (out.kind) {
    case FromProducer::Kind::hello:
      read_held(in, out);
      if (in.has("acked")) out.acked = in.integer("acked");
      break;
    case FromProducer::Kind::beat: read_held(in, out); break;
    case FromProducer::Kind::gone: read_range(in, out.from, out.to); break;
    case FromProducer::Kind::result:
      out.id = in.string("id");
      out.success = in.boolean("success");
      out.data = in.has("data") ? in.raw("data") : "null";
      break;
    case FromProducer::Kind::bye: out.last = in.integer("last"); break;
  }
}

void read_rest(JsonObject& in, FromBridge& out) {
  switch (out.kind) {
    case FromBridge::Kind::welcome: out.seq = in.integer("seq"); break;
    case FromBridge::Kind::ack:
      out.seq = in.integer("seq");
      if (in.has("lost")) out.lost = in.ranges("lost");
      break;
    case FromBridge::Kind::replay: read_range(in, out.from, out.to); break;
    case FromBridge::Kind::refused: out.reason = in.string("reason"); break;
    case FromBridge::Kind::command:
      out.id = in.string("id");
      out.topic = in.string("topic");
      out.data = in.has("data") ? in.raw("data") : "null";
      break;
  }
}

template <class Decoded, class Kind>
Result<Decoded> decode(std::string_view json, const Names<Kind>& names) {
  JsonObject in(json);
  Decoded out;
  out.kind = kind_in(names, in);
  read_common(in, out);
  if (in.error().empty()) read_rest(in, out);
  if (!in.error().empty()) return Error{in.error()};
  return out;
}

}  // namespace

std::string encode(const FromProducer& message) {
  Message out(name_in(kFromProducer, message.kind), message.producer, message.epoch);
  switch (message.kind) {
    case FromProducer::Kind::hello:
    case FromProducer::Kind::beat:
      out.number("first", message.first);
      out.number("last", message.last);
      if (message.kind == FromProducer::Kind::hello) out.number("acked", message.acked);
      break;
    case FromProducer::Kind::gone:
      out.number("from", message.from);
      out.number("to", message.to);
      break;
    case FromProducer::Kind::result:
      out.string("id", message.id);
      out.raw("success", message.success ? "true" : "false");
      out.raw("data", message.data);
      break;
    case FromProducer::Kind::bye: out.number("last", message.last); break;
  }
  return out.take();
}

std::string encode(const FromBridge& message) {
  Message out(name_in(kFromBridge, message.kind), message.producer, message.epoch);
  switch (message.kind) {
    case FromBridge::Kind::welcome: out.number("seq", message.seq); break;
    case FromBridge::Kind::ack:
      out.number("seq", message.seq);
      out.ranges("lost", message.lost);
      break;
    case FromBridge::Kind::replay:
      out.number("from", message.from);
      out.number("to", message.to);
      break;
    case FromBridge::Kind::refused: out.string("reason", message.reason); break;
    case FromBridge::Kind::command:
      out.string("id", message.id);
      out.string("topic", message.topic);
      out.raw("data", message.data);
      break;
  }
  return out.take();
}

Result<FromProducer> decode_from_producer(std::string_view json) {
  return decode<FromProducer>(json, kFromProducer);
}

Result<FromBridge> decode_from_bridge(std::string_view json) { return decode<FromBridge>(json, kFromBridge); }

}  // namespace trestle
