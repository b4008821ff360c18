#include "proto/json_text.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

using namespace trestle;

namespace {
std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
/// What a strict parser reads from it.
std::string read_back(std::string_view text) {
  const std::string written = json(text);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(written.data(), written.size());
  REQUIRE(document.IsString());
  return {document.GetString(), document.GetStringLength()};
}
const std::string kFffd = "\xEF\xBF\xBD";
}  // namespace

TEST_CASE("text becomes a JSON string") {
  CHECK(json("") == "\"\"");
  CHECK(json("plain") == "\"plain\"");
  CHECK(json("\"\\/\b\f\n\r\t") == R"("\"\\/\b\f\n\r\t")");
  CHECK(json(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(json("é€😀") == "\"é€😀\"");
}

TEST_CASE("UTF-8 comes back as it was, up to the borders of each length") {
  for (const char* text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(read_back(text) == text);
  }
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, each") {
  CHECK(read_back("\x80") == kFffd);
  CHECK(read_back("a\xFFz") == "a" + kFffd + "z");
  CHECK(read_back("\xC0\xAF") == kFffd + kFffd);              // overlong
  CHECK(read_back("\xC1\xBF") == kFffd + kFffd);              // overlong
  CHECK(read_back("\xE0\x9F\xBF") == kFffd + kFffd + kFffd);  // overlong
  CHECK(read_back("\xF0\x8F\xBF\xBF") == kFffd + kFffd + kFffd + kFffd);
  CHECK(read_back("\xED\xA0\x80") == kFffd + kFffd + kFffd);              // surrogate
  CHECK(read_back("\xF4\x90\x80\x80") == kFffd + kFffd + kFffd + kFffd);  // over U+10FFFF
  CHECK(read_back("\xE2\x82") == kFffd + kFffd);                          // cut off
  CHECK(read_back("\xE2\x82z") == kFffd + kFffd + "z");
  CHECK(read_back("\xF5\x80\x80\x80") == kFffd + kFffd + kFffd + kFffd);
}
