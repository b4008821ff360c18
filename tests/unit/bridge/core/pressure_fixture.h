#pragma once
#include <rapidjson/document.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/groups.h"
#include "bridge/core/outbox.h"
#include "bridge/core/policy.h"
#include "bridge/core/pressure.h"
#include "proto/frame.h"

/// What the tests of an outbox under pressure share: a policy of every kind, and a client that reads slowly.
namespace trestle {

inline std::vector<Policy> pressure_policies() {
  auto policy = [](const char* match, Keep keep, UnderPressure under_pressure) {
    Policy made;
    made.match = *Pattern::parse(match);
    made.keep = keep;
    made.under_pressure = under_pressure;
    return made;
  };
  auto text = policy("text.*", Keep::log, UnderPressure::merge);
  text.merge = "/content";
  text.merge_by = {"/run_id"};
  return {policy("state.*", Keep::latest, UnderPressure::close), text,
          policy("noise.*", Keep::none, UnderPressure::drop),
          policy("alarm.*", Keep::none, UnderPressure::close)};
}

/// Events of one stream, and an outbox that they wait in.
class PressureFixture {
 public:
  EventPtr event(const std::string& topic, const std::string& payload) {
    auto made = std::make_shared<Event>();
    made->offset = ++head;
    made->topic = topic;
    made->payload = payload;
    made->policy = &table.find(topic);
    return made;
  }
  EventPtr event(const std::string& topic) {
    return event(topic, R"({"type":"x","n":)" + std::to_string(head + 1) + "}");
  }
  EventPtr text(const std::string& topic, const std::string& content, int run = 1) {
    return event(topic, R"({"type":"text","run_id":)" + std::to_string(run) + R"(,"content":")" + content +
                            R"(","n":)" + std::to_string(head + 1) + "}");
  }
  static ChunkPtr chunk(const std::vector<EventPtr>& events) {
    auto made = std::make_shared<Chunk>();
    for (const auto& event : events) append_event(*made, Form::meta, event, false);
    return made;
  }
  static std::shared_ptr<Chunk> reply() {
    auto made = std::make_shared<Chunk>();
    made->bytes = std::string("\x81\x02") + "{}";
    return made;
  }
  void push(const std::vector<EventPtr>& events) { outbox.push(chunk(events)); }
  bool all_kept() const {
    return !outbox.holds([](const Event& event) { return event.policy->keep == Keep::none; });
  }
  /// The bytes that wait, one slice for each piece of the outbox.
  std::vector<std::string> waiting() const {
    std::vector<Outbox::Slice> slices(1000);
    slices.resize(outbox.front(slices.data(), slices.size()));
    return {slices.begin(), slices.end()};
  }
  /// A notice that got() shows as [from-to:count topic].
  static ChunkPtr tell(const Dropped& dropped) {
    const auto text = R"({"gap":"[)" + std::to_string(dropped.from) + "-" + std::to_string(dropped.to) + ":" +
                      std::to_string(dropped.count) + " " + dropped.topic + R"(]"})";
    auto made = std::make_shared<Chunk>();
    append_text_frame_header(made->bytes, text.size());
    made->bytes += text;
    return made;
  }
  void drop_unkept() { outbox.drop_unkept(pressure, tell); }
  void squeeze() { outbox.squeeze(pressure, true); }

  /// Writes `count` bytes to the client, all by default.
  void write(std::size_t count = ~std::size_t{0}) {
    while (count > 0 && !outbox.empty()) {
      std::array<Outbox::Slice, 3> slices;
      const auto some = outbox.front(slices.data(), slices.size());
      std::size_t taken = 0;
      for (std::size_t i = 0; i < some; ++i) {
        const auto part = slices[i].substr(0, count - taken);
        received += part;
        taken += part.size();
      }
      outbox.consume(taken);
      count -= taken;
    }
  }
  /// What the client got: "offset:content" or "offset" of events, "-" for a reply,
  /// what tell() says; "?" ends what is no frame.
  std::string got() const {
    std::string all;
    for (std::string_view rest = received; !rest.empty();) {
      std::size_t header = 2;
      std::size_t size = static_cast<unsigned char>(rest[1]);
      if (size == 126) {
        size = static_cast<std::size_t>(static_cast<unsigned char>(rest[2])) << 8 |
               static_cast<unsigned char>(rest[3]);
        header = 4;
      }
      if (rest.size() < header + size) return all + "?";
      all += (all.empty() ? "" : " ") + describe(rest.substr(header, size));
      rest.remove_prefix(header + size);
    }
    return all;
  }
  static std::string describe(std::string_view text) {
    rapidjson::Document json;
    json.Parse(text.data(), text.size());
    if (json.HasParseError()) return "?";
    const auto gap = json.FindMember("gap");
    if (gap != json.MemberEnd()) return gap->value.GetString();
    const auto meta = json.FindMember("meta");
    if (meta == json.MemberEnd()) return "-";
    const auto offset = std::to_string(meta->value.FindMember("offset")->value.GetUint64());
    const auto& data = json.FindMember("data")->value;
    const auto content = data.FindMember("content");
    return content == data.MemberEnd() ? offset : offset + ":" + content->value.GetString();
  }

  Offset head = 0;
  PolicyTable table{pressure_policies()};
  Pressure pressure{table, {}};
  Outbox outbox;
  std::string received;
};

}  // namespace trestle
