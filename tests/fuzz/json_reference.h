#pragma once
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>

#include <string_view>

namespace trestle {

/// What RapidJSON's document model makes of the text: the other opinion on what our SAX readers accept.
/// Null (no value parsed) unless it is exactly one JSON value.
inline bool parse_reference(std::string_view text, rapidjson::Document& out) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  out.ParseStream<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(stream);
  return !out.HasParseError() && stream.Tell() == text.size();
}

}  // namespace trestle
