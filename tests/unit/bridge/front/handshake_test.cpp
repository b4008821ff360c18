#include "bridge/front/handshake.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

/// Reads a GET with these header lines, as the session does.
class Get {
 public:
  explicit Get(const std::string& target, const std::string& headers = {}, const std::string& method = "GET")
      : reader_(1'000) {
    REQUIRE(reader_.feed(method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n") == 200);
  }
  const HttpRequest& operator*() const { return reader_.request(); }

 private:
  HttpReader reader_;
};

const TokenWays kEveryWay = AuthSettings{}.accept;

EndpointSettings endpoint(Form format = Form::envelope) { return {"/", format, true}; }

Handshake handshake(const std::string& target, const std::string& headers = {},
                    Form format = Form::envelope) {
  auto parsed = parse_handshake(*Get(target, headers), endpoint(format), kEveryWay);
  REQUIRE(parsed.has_value());
  return *parsed;
}
std::string complaint(const std::string& target) {
  const auto parsed = parse_handshake(*Get(target), endpoint(), kEveryWay);
  return parsed ? "none" : parsed.error().why;
}
/// "a=1 b=2", sorted by name.
std::string query(const std::string& text) {
  const auto values = parse_query(text);
  if (!values) return "broken";
  std::string out;
  for (const auto& [name, value] : *values) out += (out.empty() ? "" : " ") + name + "=" + value;
  return out;
}
std::string topics(const Handshake& parsed) {
  if (!parsed.topics) return "absent";
  std::string out;
  for (const auto& pattern : *parsed.topics) out += (out.empty() ? "" : " ") + pattern.text();
  return out;
}
std::string protocol(const std::string& value) { return "Sec-WebSocket-Protocol: " + value + "\r\n"; }

}  // namespace

TEST_CASE("a query is decoded once, and `+` is no blank") {
  CHECK(query("") == "");
  CHECK(query("a=1&b=2") == "a=1 b=2");
  CHECK(query("a=1+2") == "a=1+2");
  CHECK(query("a=%2B%20%41") == "a=+ A");
  CHECK(query("a=%2541") == "a=%41");
  CHECK(query("%61=x") == "a=x");
  CHECK(query("a") == "a=");
  CHECK(query("a=") == "a=");
  CHECK(query("a=b=c") == "a=b=c");
  CHECK(query("&&a=1&&") == "a=1");
  CHECK(query("a=%00").size() == 3);
}

TEST_CASE("a parameter that occurs twice keeps its first value") {
  CHECK(query("a=1&a=2") == "a=1");
  CHECK(query("a=1&%61=2") == "a=1");
}

TEST_CASE("a broken escape spoils the query") {
  for (const auto* text : {"a=%", "a=%4", "a=%4g", "a=%g4", "a=%%41", "%=a", "a=1&b=%zz"}) {
    CAPTURE(text);
    CHECK(query(text) == "broken");
  }
  CHECK(complaint("/?token=%4") == "the query has a broken % escape, or is not UTF-8");
}

TEST_CASE("a query that is not UTF-8 is none: what it says is repeated in close frames") {
  CHECK(query("a=%C3%BC") == "a=\xc3\xbc");
  for (const auto* text : {"a=%FF", "a=\xff", "%FF=a", "a=%C3", "a=%ED%A0%80", "a=%C0%AF"}) {
    CAPTURE(text);
    CHECK(query(text) == "broken");
  }
}

TEST_CASE("a WebSocket key is 16 bytes in base64") {
  const auto has_key = [](const std::string& value) {
    return has_websocket_key(*Get("/", "Sec-WebSocket-Key: " + value + "\r\n"));
  };
  CHECK(has_key("dGhlIHNhbXBsZSBub25jZQ=="));
  CHECK(has_key("++++++++++//////////AA=="));
  CHECK_FALSE(has_websocket_key(*Get("/")));
  for (const auto* value :
       {"", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=x",
        "dGhlIHNhbXBsZSBub25jZQ====", "dGhl-HNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZTAx",
        "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}) {
    CAPTURE(value);
    CHECK_FALSE(has_key(value));
  }
}

TEST_CASE("a target is split at the first question mark, and not decoded") {
  CHECK(split_target("/a%20b?x=1?y").path == "/a%20b");
  CHECK(split_target("/a%20b?x=1?y").query == "x=1?y");
  CHECK(split_target("/a").query.empty());
  CHECK(split_target("/a?").query.empty());
}

TEST_CASE("a token may come by query, header or subprotocol, in this order") {
  const std::string bearer = "Authorization: Bearer HEADER\r\n";
  const auto offered = protocol("trestle.v1, bearer.OFFERED");
  CHECK(handshake("/").token.empty());
  CHECK(handshake("/?token=QUERY").token == "QUERY");
  CHECK(handshake("/", bearer).token == "HEADER");
  CHECK(handshake("/", offered).token == "OFFERED");
  CHECK(handshake("/?token=QUERY", bearer + offered).token == "QUERY");
  CHECK(handshake("/", bearer + offered).token == "HEADER");
  SUBCASE("an empty one is none given") {
    CHECK(handshake("/?token=", bearer).token == "HEADER");
    CHECK(handshake("/?token=", offered).token == "OFFERED");
    CHECK(handshake("/", "Authorization: Bearer \r\n" + offered).token == "OFFERED");
  }
  SUBCASE("the scheme's case and blanks do not matter, another scheme is not ours") {
    CHECK(handshake("/", "authorization: bearer   x\r\n").token == "x");
    CHECK(handshake("/", "Authorization: Basic eDp5\r\n").token.empty());
    CHECK(handshake("/", "Authorization: Bearer\r\n").token.empty());
  }
  SUBCASE("base64 tokens survive") {
    CHECK(handshake("/?token=a+b/c==").token == "a+b/c==");
    CHECK(handshake("/", protocol("trestle.v1, bearer.a-b_c")).token == "a-b_c");
  }
}

TEST_CASE("the answer names the first of our subprotocols that was offered, never the token") {
  CHECK(handshake("/").subprotocol.empty());
  CHECK(handshake("/", protocol("trestle.plain, trestle.v1, bearer.T")).subprotocol == "trestle.plain");
  CHECK(handshake("/", protocol("bearer.T, trestle.v1")).subprotocol == "trestle.v1");
  CHECK(handshake("/", protocol("chat,  trestle.v1")).subprotocol == "trestle.v1");
  CHECK(handshake("/", protocol("chat, bearer.T")).subprotocol.empty());
  CHECK(handshake("/", protocol("trestle.v1") + protocol("bearer.T")).token == "T");
}

TEST_CASE("the form: the endpoint's own, what the query says, or meta") {
  CHECK(handshake("/").form == Form::envelope);
  CHECK(handshake("/", "", Form::bare).form == Form::bare);
  CHECK(handshake("/?format=bare").form == Form::bare);
  CHECK(handshake("/?format=envelope", "", Form::bare).form == Form::envelope);
  CHECK(handshake("/?meta=1", "", Form::bare).form == Form::meta);
  CHECK(handshake("/?format=bare&meta=1").form == Form::meta);
  CHECK(handshake("/?meta=0", "", Form::bare).form == Form::bare);
  CHECK(handshake("/", protocol("trestle.v1"), Form::bare).form == Form::meta);
  CHECK(handshake("/", protocol("trestle.plain"), Form::bare).form == Form::bare);
  CHECK(complaint("/?format=xml") == "format must be envelope or bare");
  CHECK(complaint("/?format=") == "format must be envelope or bare");
  CHECK(complaint("/?meta=yes") == "meta must be 0 or 1");
}

TEST_CASE("topics: absent, none, or a list") {
  CHECK(topics(handshake("/")) == "absent");
  CHECK(topics(handshake("/?topics=")) == "");
  CHECK(topics(handshake("/?topics=a.*,%3E")) == "a.* >");
  CHECK(topics(handshake("/?topics=a%2Cb")) == "a b");
  CHECK(topics(handshake("/?topics=a.%252A")) == "a.%2A");
  CHECK(complaint("/?topics=a,,b").find("topics: a pattern is empty") == 0);
  CHECK(complaint("/?topics=a..b") == "topics: \"a..b\": segment 2 is empty");
}

TEST_CASE("since is handed on as it is") {
  CHECK_FALSE(handshake("/").since.has_value());
  CHECK(handshake("/?since=12:34").since == "12:34");
  CHECK(handshake("/?since=12%3A34").since == "12:34");
}

TEST_CASE("what asks for a WebSocket") {
  const std::string both = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  CHECK(is_upgrade(*Get("/", both)));
  CHECK(is_upgrade(*Get("/", "Upgrade: h2c, WebSocket\r\nConnection: keep-alive, upgrade\r\n")));
  CHECK_FALSE(is_upgrade(*Get("/", "Upgrade: websocket\r\n")));
  CHECK_FALSE(is_upgrade(*Get("/", "Connection: Upgrade\r\n")));
  CHECK_FALSE(is_upgrade(*Get("/", "Upgrade: websockets\r\nConnection: Upgrade\r\n")));
  CHECK_FALSE(is_upgrade(*Get("/", both, "POST")));
  CHECK_FALSE(is_upgrade(*Get("/")));
}

TEST_CASE("a token counts only when shown in a way that is accepted; the rest of the handshake stays") {
  const std::string target = "/?token=q&topics=a";
  const auto headers = "Authorization: Bearer h\r\n" + protocol("trestle.v1, bearer.s");
  const auto shown = [&](const TokenWays& accepted) {
    const auto parsed = parse_handshake(*Get(target, headers), endpoint(), accepted).value();
    CHECK(parsed.subprotocol == "trestle.v1");
    CHECK(topics(parsed) == "a");
    return parsed.token;
  };
  CHECK(shown(kEveryWay) == "q");
  CHECK(shown({TokenWay::header, TokenWay::subprotocol}) == "h");
  CHECK(shown({TokenWay::subprotocol}) == "s");
  CHECK(shown({TokenWay::query}) == "q");
  CHECK(shown({TokenWay::message}) == "");
  CHECK(shown({}) == "");
}
