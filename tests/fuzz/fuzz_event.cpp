// Payloads: what EventChecker accepts must be what RapidJSON's document model reads, and makes a canonical
// topic.
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/event.h"
#include "proto/topic.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

const std::vector<std::string> kPointers = {"/id",    "/a", "/a/b", "/a/0", "/a/1/id", "/taskConfig/id",
                                            "/~0/~1", "/"};

EventChecker& checker() {
  static auto made = EventChecker::make({64 * 1024, 8}, kPointers);
  return *made;
}

std::size_t count_of(const rapidjson::Value& object, const std::string& name) {
  return static_cast<std::size_t>(std::count_if(object.MemberBegin(), object.MemberEnd(),
                                                [&](const auto& m) { return m.name == name.c_str(); }));
}

bool same_value(const rapidjson::Value& value, const std::string& text) {
  if (value.IsString()) return std::string(value.GetString(), value.GetStringLength()) == text;
  rapidjson::Document number;
  return value.IsNumber() && parse_reference(text, number) && number == value;
}

std::string written(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

bool same_raw(const rapidjson::Value& value, std::string_view raw) {
  rapidjson::Document document;
  return parse_reference(raw, document) && written(document) == written(value);
}

void check_found(const Found& found, const std::string& pointer, const rapidjson::Document& document) {
  if (found.state == Found::State::duplicate) return;
  const rapidjson::Value* value = rapidjson::Pointer(pointer.c_str()).Get(document);
  MUST((found.state == Found::State::absent) == !value);
  if (!value) return;
  MUST((found.state == Found::State::value) == (value->IsString() || value->IsNumber()));
  MUST(found.state != Found::State::value || same_value(*value, found.text));
  MUST(same_raw(*value, found.raw));
}

void check_topic(const std::string& type, const Found& key) {
  const std::string type_topic = escape_type(type);
  if (type_topic.empty()) return;
  MUST(is_topic(type_topic));
  Reject why = Reject::none;
  const std::string topic = join_topic(type_topic, key.text, why);
  MUST(topic.empty() == (why == Reject::bad_topic));
  MUST(topic.empty() || (is_topic(topic) && topic_starts_with(topic, type_topic)));
}

void check_accepted(const rapidjson::Document& document) {
  MUST(document.IsObject() && count_of(document, "type") == 1);
  MUST(document["type"].IsString() && same_value(document["type"], checker().type()));
  for (std::size_t i = 0; i < kPointers.size(); ++i) {
    check_found(checker().at(i), kPointers[i], document);
    check_topic(checker().type(), checker().at(i));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = text_of(data, size);
  const Reject reject = checker().check(payload);
  if (reject == Reject::too_big || reject == Reject::too_deep) return 0;
  rapidjson::Document document;
  const bool json = parse_reference(payload, document);
  MUST(json == (reject != Reject::not_json && reject != Reject::invalid_utf8));
  if (!json) return 0;
  MUST((reject == Reject::not_object) == !document.IsObject());
  if (!document.IsObject()) return 0;
  MUST((reject == Reject::duplicate_member) == (count_of(document, "type") > 1));
  if (reject == Reject::none) check_accepted(document);
  return 0;
}
