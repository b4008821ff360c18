#include "clients/cli/status.h"

#include <doctest/doctest.h>

using trestle::cli::status_text;

namespace {

constexpr const char* kAnswer =
    R"({"success":true,"data":{"version":"0.1.0","epoch":"17","offset":1234567,"uptime_s":3725,
"state":"ok","sessions":[{"id":"s1","address":"127.0.0.1:5","identity":"dash","endpoint":"/ws","format":"envelope",
"meta":true,"topics":["a.*","b"],"since":1000000,"sent":12000,"bytes":2048,"queued":0}],"sessions_total":2,
"producers":[{"id":"p1","state":"online","epoch":1,"seq":7,"events":7,"lost":0,"last_seen_ms":400},
{"id":"p2","state":"gone","epoch":1,"seq":7,"events":0,"lost":0}],"producers_total":2,
"topics":[],"topics_total":0,"rates":{"events_in":10.4,"deliveries":2000,"bytes_out":1536},
"counters":{"events":5,"lost":0},"rejections":{"not_json":3,"no_type":0}}})";

}  // namespace

TEST_CASE("a status is shown as tables") {
  const auto text = status_text(kAnswer, 6'000'000);
  REQUIRE(text);
  CHECK(*text ==
        "trestled 0.1.0, ok, up 1 h 2 min; epoch 17, offset 1,234,567\n"
        "now: 10 events/s in, 2,000 deliveries/s, 1.5 KiB/s out\n"
        "\n"
        "sessions: 2 (the first 1 shown)\n"
        "  ID  ADDRESS      WHO   ENDPOINT  FORMAT         TOPICS  FOR    SENT    BYTES    QUEUED\n"
        "  s1  127.0.0.1:5  dash  /ws       envelope+meta  a.*,b   5.0 s  12,000  2.0 KiB  0 B\n"
        "\n"
        "producers: 2\n"
        "  ID  STATE   SEQ  EVENTS  LOST  LAST SEEN\n"
        "  p1  online  7    7       0     0.4 s ago\n"
        "  p2  gone    7    0       0     -\n"
        "\n"
        "latest topics: 0\n"
        "\n"
        "since start:\n"
        "  events  5\n"
        "\n"
        "rejected:\n"
        "  not_json  3\n");
}

TEST_CASE("what has to be mended is shown near the top, without control characters") {
  const auto text = status_text(
      R"({"success":true,"data":{"epoch":"1","state":"degraded","trouble":"disk full",
"tls":{"trouble":"no start line\n\u001b[2J"},"auth":{"revoked":2,"trouble":"/etc/t.yaml:3: no name"},"curve":{"listed":1}}})",
      0);
  REQUIRE(text);
  CHECK(text->find("trouble with the journal: disk full\n"
                   "trouble with auth: /etc/t.yaml:3: no name\n"
                   "trouble with tls: no start line") != std::string::npos);
  CHECK(text->find("curve") == std::string::npos);
  CHECK(text->find('\x1b') == std::string::npos);
}

TEST_CASE("an answer with less, or of another kind of server") {
  CHECK(status_text(R"({"success":true,"data":{"epoch":"1"}})", 0).has_value());
  for (const char* text : {"", "<html>", "{}", "[]", R"({"data":{}})"})
    CHECK_FALSE(status_text(text, 0).has_value());
}
