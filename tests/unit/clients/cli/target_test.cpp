#include "clients/cli/target.h"

#include <doctest/doctest.h>

using namespace trestle::cli;

TEST_CASE("an address as people write it") {
  CHECK(websocket_url(*parse_target("ws://localhost:3001/"), {}) == "ws://localhost:3001/");
  CHECK(websocket_url(*parse_target("ws://localhost:3001"), {}) == "ws://localhost:3001/");
  CHECK(websocket_url(*parse_target("https://host/a/ws"), {{"meta", "1"}}) == "wss://host/a/ws?meta=1");
  CHECK(websocket_url(*parse_target("http://[::1]:8/?x=1#f"), {}) == "ws://[::1]:8/");
}

TEST_CASE("the token of the first start's address is taken out") {
  const auto target = parse_target("http://localhost:3001/?x=1&token=a%2Bb_c&y=2");
  REQUIRE(target);
  CHECK(target->token == "a+b_c");
  CHECK(websocket_url(*target, {{"meta", "1"}}) == "ws://localhost:3001/?meta=1");
  CHECK(parse_target("ws://h?token=t")->token == "t");
  CHECK(parse_target("ws://h/?mytoken=t")->token == "");
}

TEST_CASE("query values are escaped") {
  CHECK(websocket_url(*parse_target("ws://h/"), {{"topics", "a.*,$sys.>"}, {"since", "1:2"}}) ==
        "ws://h/?topics=a.*,%24sys.%3E&since=1:2");
}

TEST_CASE("the HTTP address is beside the WebSocket's") {
  CHECK(http_url(*parse_target("ws://h:1/"), "api/status") == "http://h:1/api/status");
  CHECK(http_url(*parse_target("wss://h/ws"), "api/status") == "https://h/api/status");
  CHECK(http_url(*parse_target("wss://h/trestle/"), "api/status") == "https://h/trestle/api/status");
}

TEST_CASE("other addresses are errors") {
  for (const char* url :
       {"", "localhost:3001", "ftp://h/", "ws://", "ws:///x", "ws://user:pw@h/", "ws://a b/", "://h"}) {
    CHECK_FALSE(parse_target(url).has_value());
  }
}
