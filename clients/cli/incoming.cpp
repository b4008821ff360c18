#include "clients/cli/incoming.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>

namespace trestle::cli {
namespace {

using rapidjson::Value;
using Kind = Incoming::Kind;

std::string text_at(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return "";
  return {member->value.GetString(), member->value.GetStringLength()};
}

std::uint64_t number_at(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsUint64() ? member->value.GetUint64() : 0;
}

std::chrono::milliseconds millis_at(const Value& object, const char* name) {
  // A day is longer than any sensible answer, and keeps the arithmetic of clocks safe.
  return std::chrono::milliseconds(std::min<std::uint64_t>(number_at(object, name), 86'400'000));
}

/// The event's own bytes, cut out of the envelope. Line ends in JSON can only be space between its parts.
std::string payload_of(std::string_view message, const Value& data) {
  constexpr std::string_view kHead = R"({"success":true,"data":)";
  constexpr std::string_view kMeta = R"(,"meta":{)";
  const std::size_t end = message.rfind(kMeta);
  std::string payload;
  if (message.substr(0, kHead.size()) == kHead && end != std::string_view::npos && end > kHead.size()) {
    payload = message.substr(kHead.size(), end - kHead.size());
  } else {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    data.Accept(writer);
    payload.assign(buffer.GetString(), buffer.GetSize());
  }
  std::replace_if(
      payload.begin(), payload.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return payload;
}

std::string number_text(const Value& data, const char* name) { return std::to_string(number_at(data, name)); }

std::string counted(const Value& data, const char* one, const char* many) {
  return number_text(data, "count") + (number_at(data, "count") == 1 ? one : many);
}

std::string range(const Value& data, const char* from, const char* to) {
  const auto first = number_text(data, from);
  const auto last = number_text(data, to);
  return first == last ? first : first + " to " + last;
}

/// What is missing and why, in words.
std::string describe_gap(const Value& data) {
  const auto reason = text_at(data, "reason");
  if (reason == "epoch") {
    return "the bridge counts anew (epoch " + text_at(data, "epoch") +
           "): what was missed before can't be told; what is kept follows";
  }
  if (reason == "trimmed") {
    return "of the events with offset " + range(data, "from", "to") +
           " some are kept no longer; what is kept follows";
  }
  if (reason == "lost") {
    return counted(data, " event", " events") + " of producer " + text_at(data, "producer") + " (seq " +
           range(data, "seq_from", "seq_to") + ") never reached the bridge, and can't be sent again";
  }
  if (reason == "dropped") {
    const auto topic = text_at(data, "topic");
    return counted(data, " event", " events") + (topic.empty() ? "" : " of topic " + topic) + ", offset " +
           range(data, "from", "to") + ", left out because this client was too slow; nothing keeps them";
  }
  return reason;
}

Kind kind_of(const std::string& type) {
  if (type == "welcome") return Kind::welcome;
  if (type == "live") return Kind::live;
  if (type == "cursor") return Kind::cursor;
  if (type == "gap") return Kind::gap;
  if (type == "drain") return Kind::drain;
  return Kind::unknown;
}

}  // namespace

void IncomingReader::move(Offset offset) {
  if (epoch_.empty()) return;
  cursor_epoch_ = epoch_;
  seen_ = offset;
  cursor_ = epoch_ + ":" + std::to_string(offset);
}

void IncomingReader::set_cursor(const std::string& cursor) {
  const std::size_t colon = cursor.find(':');
  Offset offset = 0;
  const char* end = cursor.data() + cursor.size();
  if (colon == std::string::npos || colon == 0) return;
  if (const auto [at, error] = std::from_chars(cursor.data() + colon + 1, end, offset);
      error != std::errc() || at != end)
    return;
  epoch_ = cursor.substr(0, colon);
  move(offset);
}

Incoming IncomingReader::read(std::string_view message) {
  Incoming in;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(message.data(), message.size());
  if (document.HasParseError() || !document.IsObject()) return in;
  const auto data = document.FindMember("data");
  const auto success = document.FindMember("success");
  if (data == document.MemberEnd() || !data->value.IsObject()) return in;
  if (success != document.MemberEnd() && success->value.IsFalse()) {
    in.kind = Kind::error;
    in.text = text_at(data->value, "code") + ": " + text_at(data->value, "message");
    return in;
  }
  if (const auto meta = document.FindMember("meta"); meta != document.MemberEnd() && meta->value.IsObject()) {
    const Offset offset = number_at(meta->value, "offset");
    const auto replay = meta->value.FindMember("replay");
    const bool snapshot = replay != meta->value.MemberEnd() && replay->value.IsTrue();
    in.kind = snapshot && epoch_ == cursor_epoch_ && offset <= seen_ ? Kind::repeated : Kind::event;
    in.payload = payload_of(message, data->value);
    in.topic = text_at(meta->value, "topic");
    in.time = static_cast<Micros>(number_at(meta->value, "time"));
    if (!snapshot) move(offset);
    return in;
  }
  in.kind = kind_of(text_at(data->value, "type"));
  const std::string epoch = text_at(data->value, "epoch");
  if (!epoch.empty()) epoch_ = epoch;
  switch (in.kind) {
    case Kind::welcome: in.heartbeat = millis_at(data->value, "heartbeat"); break;
    case Kind::live:
    case Kind::cursor: move(number_at(data->value, "offset")); break;
    case Kind::gap: in.text = describe_gap(data->value); break;
    case Kind::drain:
      in.after = millis_at(data->value, "after_ms");
      in.spread = millis_at(data->value, "spread_ms");
      break;
    default: break;
  }
  return in;
}

}  // namespace trestle::cli
