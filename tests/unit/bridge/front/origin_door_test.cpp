#include "bridge/front/origin_door.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

bool may(const std::vector<std::string>& allowed, const std::string& origin, bool without_token,
         bool own = false, const std::string& host = "bridge.example:3001") {
  ListenerInfo listener;
  for (const auto& text : allowed) listener.origins.push_back(*Origin::parse_allowed(text));
  HttpReader reader(100);
  const auto line = origin.empty() ? "" : "Origin: " + origin + "\r\n";
  REQUIRE(reader.feed("GET / HTTP/1.1\r\nHost: " + host + "\r\n" + line + "\r\n") == 200);
  return may_page_connect(reader.request(), listener, without_token, own);
}

}  // namespace

TEST_CASE("who is no browser may always connect") {
  CHECK(may({}, "", false));
  CHECK(may({}, "", true, true));
  CHECK(may({"https://a.example"}, "", true));
}

TEST_CASE("without a list a token is enough") {
  CHECK(may({}, "https://elsewhere.example", false));
  CHECK(may({}, "null", false));
}

TEST_CASE("without a list and without a token only the bridge's own pages may") {
  CHECK(may({}, "http://bridge.example:3001", true));
  CHECK(may({}, "https://bridge.example:3001", true));
  CHECK_FALSE(may({}, "http://bridge.example", true));
  CHECK_FALSE(may({}, "http://elsewhere.example", true));
  CHECK_FALSE(may({}, "null", true));
}

TEST_CASE("a name that anybody can have is not this machine's") {
  CHECK(may({}, "http://localhost:3001", true, true, "localhost:3001"));
  CHECK(may({}, "http://127.0.0.1:3001", true, true, "127.0.0.1:3001"));
  CHECK_FALSE(may({}, "http://rebound.example:3001", true, true, "rebound.example:3001"));
  CHECK(may({"http://rebound.example:3001"}, "http://rebound.example:3001", true, true,
            "rebound.example:3001"));
}

TEST_CASE("with a list exactly its pages may, token or not") {
  for (const bool without_token : {false, true}) {
    CHECK(may({"https://a.example", "https://*.b.example"}, "https://a.example", without_token));
    CHECK(may({"https://a.example", "https://*.b.example"}, "https://x.b.example", without_token));
    CHECK_FALSE(may({"https://a.example"}, "http://bridge.example:3001", without_token));
    CHECK_FALSE(may({"https://a.example"}, "null", without_token));
    CHECK_FALSE(may({"https://a.example"}, "https://a.example, https://a.example", without_token));
  }
}
