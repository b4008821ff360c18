#include "bridge/front/origin_door.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

bool may(const std::vector<std::string>& allowed, const std::string& origin, bool without_token,
         const std::string& host = "192.0.2.1:3001") {
  ListenerInfo listener;
  for (const auto& text : allowed) listener.origins.push_back(*Origin::parse_allowed(text));
  HttpReader reader(100);
  const auto line = origin.empty() ? "" : "Origin: " + origin + "\r\n";
  REQUIRE(reader.feed("GET / HTTP/1.1\r\nHost: " + host + "\r\n" + line + "\r\n") == 200);
  return may_page_connect(reader.request(), listener, without_token);
}

}  // namespace

TEST_CASE("who is no browser may always connect") {
  CHECK(may({}, "", false));
  CHECK(may({}, "", true));
  CHECK(may({}, "", true, "bridge.example:3001"));
  CHECK(may({"https://a.example"}, "", true));
}

TEST_CASE("without a list a token is enough") {
  CHECK(may({}, "https://elsewhere.example", false));
  CHECK(may({}, "null", false));
}

TEST_CASE("without a list and without a token only the bridge's own pages may") {
  CHECK(may({}, "http://192.0.2.1:3001", true));
  CHECK(may({}, "https://192.0.2.1:3001", true));
  CHECK_FALSE(may({}, "http://192.0.2.1", true));
  CHECK_FALSE(may({}, "http://192.0.2.2:3001", true));
  CHECK_FALSE(may({}, "http://elsewhere.example", true));
  CHECK_FALSE(may({}, "null", true));
}

TEST_CASE("a name that anybody can give our address is the bridge's own only if it is on the list") {
  for (const std::string own : {"localhost:3001", "127.0.0.1:3001", "[2001:db8::1]:3001", "192.0.2.1:3001"}) {
    CHECK(may({}, "http://" + own, true, own));
  }
  for (const std::string other : {"rebound.example:3001", "bridge:3001", "192.0.2.1.rebound.example:3001"}) {
    CHECK_FALSE(may({}, "http://" + other, true, other));
    CHECK(may({"http://" + other}, "http://" + other, true, other));
  }
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

TEST_CASE("over HTTP, without an Origin, the host that a page asks says who it is") {
  const auto may_ask = [](const std::string& headers, const std::vector<std::string>& allowed = {}) {
    ListenerInfo listener;
    for (const auto& text : allowed) listener.origins.push_back(*Origin::parse_allowed(text));
    HttpReader reader(100);
    REQUIRE(reader.feed("GET / HTTP/1.1\r\n" + headers + "\r\n") == 200);
    return may_page_ask(reader.request(), listener);
  };
  CHECK(may_ask("Host: 192.0.2.1:3001\r\n"));
  CHECK(may_ask("Host: localhost:3001\r\n"));
  CHECK(may_ask("Host: [::1]:3001\r\n"));
  CHECK_FALSE(may_ask("Host: bridge.example:3001\r\n"));
  CHECK(may_ask("Host: bridge.example:3001\r\n", {"http://bridge.example:3001"}));
  CHECK_FALSE(may_ask("Host: ,\r\n"));
  CHECK(may_ask("Host: localhost:3001\r\nOrigin: http://localhost:3001\r\n"));
  CHECK_FALSE(may_ask("Host: localhost:3001\r\nOrigin: https://evil.example\r\n"));
}
