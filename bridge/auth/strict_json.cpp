#include "bridge/auth/strict_json.h"

#include <rapidjson/memorystream.h>

#include <algorithm>

#include "proto/utf8.h"

namespace trestle {
namespace {

constexpr int kDeepest = 8;

bool has_twins(const rapidjson::Value& object) {
  std::vector<std::string_view> names;
  names.reserve(object.MemberCount());
  for (const auto& member : object.GetObject()) names.push_back(text_of(member.name));
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

bool is_strict(const rapidjson::Value& value, int levels_left) {
  if (!value.IsObject() && !value.IsArray()) return true;
  if (levels_left == 0) return false;
  if (value.IsArray()) {
    const auto array = value.GetArray();
    return std::all_of(array.begin(), array.end(),
                       [&](const auto& item) { return is_strict(item, levels_left - 1); });
  }
  if (has_twins(value)) return false;
  const auto object = value.GetObject();
  return std::all_of(object.begin(), object.end(),
                     [&](const auto& member) { return is_strict(member.value, levels_left - 1); });
}

}  // namespace

bool parse_strict_object(std::string_view text, rapidjson::Document& out) {
  // RapidJSON takes a NUL for the end and would not look at what stands behind it.
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) return false;
  // Not kParseFullPrecisionFlag: with it 0e91 is undefined behaviour (RapidJSON 1.1, DiyFp::Normalize of
  // zero), and nothing here needs the last bit of a fraction.
  out.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  return !out.HasParseError() && out.IsObject() && is_strict(out, kDeepest);
}

const rapidjson::Value* find_member(const rapidjson::Value& object, std::string_view name) {
  const auto found = object.FindMember(
      rapidjson::Value(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string_view text_of(const rapidjson::Value& string) {
  return {string.GetString(), string.GetStringLength()};
}

bool append_texts(const rapidjson::Value& value, std::vector<std::string>& out) {
  if (value.IsString()) {
    out.emplace_back(text_of(value));
    return true;
  }
  if (!value.IsArray()) return false;
  for (const auto& item : value.GetArray()) {
    if (!item.IsString()) return false;
    out.emplace_back(text_of(item));
  }
  return true;
}

}  // namespace trestle
