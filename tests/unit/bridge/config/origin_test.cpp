#include "bridge/config/origin.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

bool allows(const char* allowed, const char* page) {
  const auto origin = Origin::parse(page);
  return origin && Origin::parse_allowed(allowed)->allows(*origin);
}

}  // namespace

TEST_CASE("scheme, host and port are compared exactly") {
  CHECK(allows("https://example.com", "https://example.com"));
  CHECK(allows("https://example.com", "https://EXAMPLE.com:443"));
  CHECK(allows("http://example.com:80", "http://example.com"));
  CHECK(allows("http://[::1]:8080", "http://[::1]:8080"));
  CHECK_FALSE(allows("https://example.com", "http://example.com"));
  CHECK_FALSE(allows("https://example.com", "https://example.com:8443"));
  CHECK_FALSE(allows("https://example.com", "https://www.example.com"));
  CHECK_FALSE(allows("https://example.com", "https://example.com.evil.example"));
  CHECK_FALSE(allows("https://example.com", "https://evilexample.com"));
}

TEST_CASE("an asterisk stands for what is below a name, at any depth") {
  CHECK(allows("https://*.example.com", "https://a.example.com"));
  CHECK(allows("https://*.example.com", "https://a.b.example.com"));
  CHECK_FALSE(allows("https://*.example.com", "https://example.com"));
  CHECK_FALSE(allows("https://*.example.com", "https://evilexample.com"));
  CHECK_FALSE(allows("https://*.example.com", "http://a.example.com"));
  CHECK(allows("http://*.example.com:81", "http://a.example.com:81"));
}

TEST_CASE("what is no page's origin matches nothing") {
  for (const char* wrong : {"",
                            "null",
                            "https://",
                            "https:///",
                            "https://example.com/",
                            "https://example.com/a",
                            "https://a@example.com",
                            "file://",
                            "file:///a",
                            "ftp://example.com",
                            "example.com",
                            "https://example.com:0",
                            "https://example.com:x",
                            "https://example.com:65536",
                            "https://example.com:",
                            "https://exa mple.com",
                            "https://*.example.com",
                            "https://*",
                            "https://a.example, https://b.example",
                            "https://[::1",
                            "https://::1",
                            "https://[1.2.3.4]",
                            "https://.example",
                            "https://example.com\r\n",
                            "javascript://example.com"}) {
    INFO(wrong);
    CHECK_FALSE(Origin::parse(wrong));
  }
  CHECK_FALSE(Origin::parse("https://" + std::string(300, 'a')));
}

TEST_CASE("what can be allowed is an origin, or all below a name") {
  for (const char* wrong :
       {"*", "https://*", "https://*.", "https://a.*.example", "https://*a.example", "null", "all"}) {
    INFO(wrong);
    CHECK_FALSE(Origin::parse_allowed(wrong));
  }
  CHECK(Origin::parse_allowed("example.com").error().message ==
        "\"example.com\" is not an origin: write one such as \"https://example.com\", "
        "\"http://localhost:8080\" or "
        "\"https://*.example.com\", without a path");
}

TEST_CASE("a page is the bridge's own if the browser asked for the same host and port") {
  const auto page = [](const char* text) { return *Origin::parse(text); };
  CHECK(page("http://localhost:3001").is_host("localhost:3001", false));
  CHECK(page("http://LOCALHOST:3001").is_host("LocalHost:3001", false));
  CHECK(page("https://example.com").is_host("example.com", false));  // TLS in front
  CHECK(page("https://example.com").is_host("example.com:443", true));
  CHECK(page("http://[::1]:3001").is_host("[::1]:3001", false));
  CHECK(page("http://[::1]").is_host("[::1]", false));
  CHECK_FALSE(page("http://example.com").is_host("example.com", true));
  CHECK_FALSE(page("http://localhost:3000").is_host("localhost:3001", false));
  CHECK_FALSE(page("http://localhost").is_host("localhost:3001", false));
  CHECK_FALSE(page("http://localhost:3001").is_host("", false));
  CHECK_FALSE(page("http://localhost:3001").is_host("localhost:3001, localhost:3001", false));
}

TEST_CASE("names that nobody else can give an address") {
  for (const char* own :
       {"http://localhost:1", "http://a.localhost", "http://127.0.0.1", "http://127.9.9.9:80",
        "http://[::1]:3001", "http://[::ffff:127.0.0.1]", "http://10.0.0.1", "http://[2001:db8::2]:80"}) {
    INFO(own);
    CHECK(Origin::parse(own)->is_beyond_dns());
  }
  for (const char* other : {"http://example.com", "http://localhost.example.com", "http://bridge",
                            "http://notlocalhost", "http://127.0.0.1.example.com"}) {
    INFO(other);
    CHECK_FALSE(Origin::parse(other)->is_beyond_dns());
  }
}
