#include "bridge/front/http_reader.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

constexpr std::size_t kMaxBody = 100;

int status_of(const std::string& bytes) { return HttpReader(kMaxBody).feed(bytes); }

const std::string kPost =
    "POST /api/events?a=1 HTTP/1.1\r\nHost: example\r\nX-Twice: one\r\nContent-Length: 5\r\nx-twice: "
    "two\r\n\r\n";

}  // namespace

TEST_CASE("a request is read, wherever the bytes are cut") {
  for (std::size_t first = 0; first <= kPost.size(); ++first) {
    HttpReader reader(kMaxBody);
    const int status = reader.feed(kPost.substr(0, first));
    REQUIRE(status == (first == kPost.size() ? 200 : 0));
    if (first < kPost.size()) REQUIRE(reader.feed(kPost.substr(first)) == 200);
    const auto& request = reader.request();
    REQUIRE(request.method() == "POST");
    REQUIRE(request.target() == "/api/events?a=1");
    REQUIRE(request.header("HOST") == "example");
    REQUIRE(request.header("X-Twice") == "one, two");
    REQUIRE(request.header("absent").empty());
    REQUIRE(reader.has_body());
  }
}

TEST_CASE("a request is read byte by byte") {
  HttpReader reader(kMaxBody);
  for (std::size_t i = 0; i + 1 < kPost.size(); ++i) REQUIRE(reader.feed(kPost.substr(i, 1)) == 0);
  CHECK(reader.feed(kPost.substr(kPost.size() - 1)) == 200);
  CHECK(reader.request().method() == "POST");
}

TEST_CASE("a request is whole with its header, whatever of a body is there") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  for (const auto* body : {"", "12", "12345", "1234567"}) {
    HttpReader reader(kMaxBody);
    CHECK(reader.feed(head + "5\r\n\r\n" + body) == 200);
    CHECK(reader.has_body());
    CHECK(reader.request().header("Content-Length") == "5");
  }
  HttpReader without(kMaxBody);
  CHECK(without.feed(head + "0\r\n\r\n") == 200);
  CHECK_FALSE(without.has_body());
}

TEST_CASE("a body may be in chunks, and then has no Content-Length") {
  for (const auto* encoding : {"chunked", "gzip, chunked"}) {
    HttpReader reader(kMaxBody);
    CHECK(reader.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + std::string(encoding) +
                      "\r\n\r\n") == 200);
    CHECK(reader.has_body());
    CHECK(reader.request().header("Content-Length").empty());
  }
}

TEST_CASE("HTTP/1.0 may name a Host, and if it names none there is none") {
  for (const auto& [field, host] : {std::pair<const char*, const char*>{"", ""},
                                    {"Host: localhost:3001\r\n", "localhost:3001"},
                                    {"hOST:[::1]\r\n", "[::1]"}}) {
    const auto get = "GET / HTTP/1.0\r\n" + std::string(field) + "X-A: b\r\n\r\n";
    HttpReader reader(kMaxBody);
    REQUIRE(reader.feed(get) == 200);
    CHECK(reader.request().header("Host") == host);
    CHECK(reader.request().header("X-A") == "b");
    CHECK(reader.take_raw() == get);
  }
}

TEST_CASE("a line that is at fault is refused when it is whole, with the reason") {
  HttpReader reader(kMaxBody);
  CHECK(reader.feed("GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r") == 0);
  CHECK(reader.fault().empty());
  CHECK(reader.feed("\n") == 400);
  CHECK(reader.fault() == "a header without a proper name, or with a space before its colon");
  CHECK(status_of("PING\r\n") == 400);
}

TEST_CASE("the header's bytes can be handed on as they came") {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
  for (std::size_t first = 0; first < get.size(); ++first) {
    HttpReader reader(kMaxBody);
    REQUIRE(reader.feed(get.substr(0, first)) == 0);
    REQUIRE(reader.feed(get.substr(first)) == 200);
    REQUIRE(reader.take_raw() == get);
  }
}

TEST_CASE(
    "what follows the request is not looked at, but handed on: it may be the first frame of a WebSocket") {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  HttpReader reader(kMaxBody);
  CHECK(reader.feed(get + "\x81\x85") == 200);
  CHECK(reader.request().target() == "/");
  CHECK(reader.take_raw() == get + "\x81\x85");
}

TEST_CASE("what is no request of ours is refused with its status") {
  SUBCASE("400: not HTTP") {
    CHECK(status_of("hello\r\n\r\n") == 400);
    CHECK(status_of("GET /\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nno colon\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\n") == 400);
    CHECK(status_of("\x16\x03\x01\x02\r\n\r\n") == 400);  // TLS on a plain port
  }
  SUBCASE("400: a body whose length can be read in two ways") {
    for (const auto* fields : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                               "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                               "Content-Length: 0\r\nTransfer-Encoding:\r\n", "Content-Length:\r\n",
                               "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: +1\r\n",
                               "Content-Length: 1\r\nContent-Length:\r\n"}) {
      CAPTURE(fields);
      CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\nx") == 400);
    }
    CHECK(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  }
  SUBCASE("413: a body over the limit, refused by its length alone") {
    CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n") == 413);
    CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n") == 200);
    CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n") != 0);
    CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n") != 0);
  }
  SUBCASE("431: a header over 16,000 bytes, at once or in pieces") {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
    CHECK(status_of(start + "X: " + std::string(17'000, 'x') + "\r\n\r\n") == 431);
    CHECK(status_of("GET /" + std::string(17'000, 'x')) == 431);
    HttpReader reader(kMaxBody);
    REQUIRE(reader.feed(start) == 0);
    int status = 0;
    for (int i = 0; i < 2'000 && status == 0; ++i) status = reader.feed("X: yyyyyyyyy\r\n");
    CHECK(status == 431);
  }
}
