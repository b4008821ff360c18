#pragma once
#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <vector>

namespace trestle {

/// Parses what other programs might read differently from us, so only one reading is let through: `text` must
/// be one JSON object in UTF-8, at most 8 levels deep, with no member twice in any object and nothing behind
/// it. False if it is not; `out` is then unspecified. Cost: linear but for the sorting of names. Never
/// recurses deeper than that.
bool parse_strict_object(std::string_view text, rapidjson::Document& out);

/// The member of that name, or null. `text_of` is for values that are strings.
const rapidjson::Value* find_member(const rapidjson::Value& object, std::string_view name);
std::string_view text_of(const rapidjson::Value& string);

/// Adds the texts of an array of strings, or the one text of a string. False, with `out` unspecified, if it
/// is neither.
bool append_texts(const rapidjson::Value& value, std::vector<std::string>& out);

}  // namespace trestle
