#include "bridge/log/log.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

std::string text(std::string_view message, log::Fields fields) {
  return log::format_line(LogSettings::Format::text, message, fields);
}
std::string json(std::string_view message, log::Fields fields) {
  return log::format_line(LogSettings::Format::json, message, fields);
}

}  // namespace

TEST_CASE("a text line is the message and what differs, as name=value") {
  CHECK(text("listening", {{"address", "127.0.0.1"}, {"port", 3001}}) ==
        "listening address=127.0.0.1 port=3001");
  CHECK(text("started", {}) == "started");
  CHECK(text("numbers", {{"a", -1}, {"b", std::uint64_t{18446744073709551615u}}}) ==
        "numbers a=-1 b=18446744073709551615");
}

TEST_CASE("a value that would not read back as one is quoted") {
  CHECK(text("m", {{"v", "two words"}}) == "m v=\"two words\"");
  CHECK(text("m", {{"v", ""}}) == "m v=\"\"");
  CHECK(text("m", {{"v", "a=b"}}) == "m v=\"a=b\"");
  CHECK(text("m", {{"v", "say \"x\""}}) == R"(m v="say \"x\"")");
  CHECK(text("m", {{"v", "one\nline"}}) == R"(m v="one\nline")");
  CHECK(text("m", {{"v", "\x1b[2J"}}) == R"(m v="\u001b[2J")");
  CHECK(text("m", {{"v", "täglich"}}) == "m v=täglich");
}

TEST_CASE("a JSON line's members always are JSON, whatever the value") {
  CHECK(json("listening", {{"address", "::1"}, {"port", 3001}}) ==
        R"("msg":"listening","address":"::1","port":3001)");
  CHECK(json("m", {{"v", "\"\\\n\xff"}}) == "\"msg\":\"m\",\"v\":\"\\\"\\\\\\n\xef\xbf\xbd\"");
  CHECK(json("m", {{"v", std::string("a\0b", 3)}}) == R"("msg":"m","v":"a\u0000b")");
}

TEST_CASE("what looks like a token does not reach the log") {
  CHECK(log::without_tokens("/?token=SECRET&topics=a") == "/?token=***&topics=a");
  CHECK(log::without_tokens("/?topics=a&TOKEN=SECRET") == "/?topics=a&TOKEN=***");
  CHECK(log::without_tokens("Authorization: Bearer SECRET") == "Authorization: Bearer ***");
  CHECK(log::without_tokens("Bearer   SECRET x") == "Bearer   *** x");
  CHECK(log::without_tokens("trestle.v1, bearer.SECRET, other") == "trestle.v1, bearer.***, other");
  CHECK(log::without_tokens("token=A token=B;token=C\"token=D") ==
        "token=*** token=***;token=***\"token=***");
  CHECK(log::without_tokens("token=") == "token=***");
  CHECK(log::without_tokens("token=token=SECRET") == "token=***");
  CHECK(log::without_tokens("nothing to hide") == "nothing to hide");
  CHECK(text("m", {{"target", "/?token=SECRET"}}) == "m target=\"/?token=***\"");
  CHECK(json("m", {{"target", "/?token=SECRET"}}) == R"("msg":"m","target":"/?token=***")");
}

TEST_CASE("of what a stranger sent 255 bytes are written") {
  CHECK(log::excerpt("http://a.example") == "http://a.example");
  CHECK(log::excerpt(std::string(15'000, 'a')).size() == 255);
}
