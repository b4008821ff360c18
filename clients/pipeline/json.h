#pragma once
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>
#include <string>
#include <string_view>

#include "proto/json_text.h"

namespace trestle::pipeline {

/// A RapidJSON writer with the few verbs our messages need. Text that is not UTF-8 (file names, tools'
/// output) is made so, which RapidJSON leaves to its caller.
class JsonWriter {
 public:
  JsonWriter& object() { return writer_.StartObject(), *this; }
  JsonWriter& end_object() { return writer_.EndObject(), *this; }
  JsonWriter& array() { return writer_.StartArray(), *this; }
  JsonWriter& end_array() { return writer_.EndArray(), *this; }
  JsonWriter& key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    return *this;
  }
  JsonWriter& text(std::string_view value) {
    std::string quoted;
    append_json_string(quoted, value);
    return raw(quoted, rapidjson::kStringType);
  }
  JsonWriter& number(double value) { return writer_.Double(value), *this; }
  JsonWriter& integer(std::uint64_t value) { return writer_.Uint64(value), *this; }
  JsonWriter& boolean(bool value) { return writer_.Bool(value), *this; }
  JsonWriter& null() { return writer_.Null(), *this; }
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json, rapidjson::Type type = rapidjson::kObjectType) {
    writer_.RawValue(json.data(), json.size(), type);
    return *this;
  }
  JsonWriter& member(std::string_view name, std::string_view value) { return key(name).text(value); }
  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

/// Members of a parsed object by name and type; a member that is absent or of another type is nothing.
inline const rapidjson::Value* member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}
inline std::string_view view(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}
inline std::optional<std::string> text_in(const rapidjson::Value& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->IsString() ? std::optional<std::string>(view(*value)) : std::nullopt;
}
inline std::optional<std::uint64_t> integer_in(const rapidjson::Value& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->IsUint64() ? std::optional<std::uint64_t>(value->GetUint64())
                                               : std::nullopt;
}
inline bool flag_in(const rapidjson::Value& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->IsBool() && value->GetBool();
}

}  // namespace trestle::pipeline
