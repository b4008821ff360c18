#include "bridge/front/request_head.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using namespace trestle;
using namespace std::string_literals;

namespace {

// The first fault of these lines.
std::string fault_of(std::initializer_list<std::string> lines) {
  RequestHead head;
  for (const auto& line : lines) {
    if (const auto fault = head.find_fault(line); !fault.empty()) return std::string(fault);
  }
  return "";
}

const std::string kGet = "GET / HTTP/1.1";

}  // namespace

TEST_CASE("what clients send is let through") {
  CHECK(fault_of({kGet, "Host: localhost:3001", ""}).empty());
  CHECK(fault_of(
            {kGet, "HOST:a", "X-Empty:", "X-Tab:\tb\t", "Cookie: a=\"b: c\"; d", "!#$%&'*+-.^_`|~1: x", ""})
            .empty());
  CHECK(fault_of({"M-SEARCH * HTTP/1.0", ""}).empty());
  CHECK(fault_of({"GET /?q=\xff\xc3\xa9&a=b%20c HTTP/1.1", "Host: a", "User-Agent: \x01\"\xe9", ""}).empty());
  CHECK(fault_of({kGet, "X-Twice: 1", "Hosts: b", "Host: a", "X-Host: b", "X-Twice: 2", ""}).empty());
}

TEST_CASE("it tells the version and whether there is a Host") {
  RequestHead head;
  CHECK(head.find_fault("GET / HTTP/1.0").empty());
  CHECK(head.is_http_1_0());
  CHECK_FALSE(head.has_host());
  CHECK(head.find_fault("host: a").empty());
  CHECK(head.has_host());
  RequestHead newer;
  CHECK(newer.find_fault(kGet).empty());
  CHECK_FALSE(newer.is_http_1_0());
}

TEST_CASE("the first line is a method, a target and a version that we know") {
  for (const auto* line : {"",
                           " ",
                           "  ",
                           "GET",
                           "GET /",
                           "GET / ",
                           "GET  HTTP/1.1",
                           "GET HTTP/1.1",
                           " / HTTP/1.1",
                           "GET / HTTP/1.2",
                           "GET / HTTP/2.0",
                           "GET / HTTP/0.9",
                           "GET / HTTP/1.10",
                           "GET / http/1.1",
                           "GET / HTTP/1.1 ",
                           "GET / HTTP/1.1 x",
                           "GET /x HTTP/1.0/y HTTP/1.1",
                           "GET  / HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "GET /\t HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "G(T / HTTP/1.1",
                           "G\xc9T / HTTP/1.1",
                           "GET / XHTTP/1.1",
                           "GET /HTTP/1.1",
                           "HTTP/1.1",
                           "\x16\x03\x01\x02"}) {
    CAPTURE(line);
    CHECK(fault_of({line}) == "the first line is not METHOD TARGET HTTP/1.1");
  }
}

TEST_CASE("a header's name is right before its colon") {
  const std::string fault = "a header without a proper name, or with a space before its colon";
  for (const auto* line : {"Host : a", "X-A\t: b", ": b", ":", "a b: c", "X(: d", "X-\xe9: e", "X\x01: f"}) {
    CAPTURE(line);
    CHECK(fault_of({kGet, line}) == fault);
  }
  CHECK(fault_of({kGet, "Host"}) == "a header without a colon");
}

TEST_CASE("a header is one line") {
  for (const auto* line : {" b", "\tb", " b: c", " "}) {
    CAPTURE(line);
    CHECK(fault_of({kGet, "X-A: a", line}) == "a header that goes on in a second line");
    CHECK(fault_of({kGet, line}) == "a header that goes on in a second line");
  }
}

TEST_CASE("no line holds a NUL, CR or LF") {
  for (const auto& byte : {"\0"s, "\r"s, "\n"s}) {
    CHECK(fault_of({"GET /" + byte + " HTTP/1.1"}) == "a NUL, CR or LF in a line");
    for (const auto* field : {"X", "X-A: b"}) {
      CHECK(fault_of({kGet, field + byte}) == "a NUL, CR or LF in a line");
      CHECK(fault_of({kGet, byte + field}) == "a NUL, CR or LF in a line");
    }
  }
}

TEST_CASE("there is one Host, which only HTTP/1.0 may leave out") {
  CHECK(fault_of({kGet, "Host: a", "hOST: a"}) == "more than one Host");
  CHECK(fault_of({"GET / HTTP/1.0", "Host: a", "Host: b"}) == "more than one Host");
  CHECK(fault_of({kGet, "Host:"}) == "an empty Host");
  CHECK(fault_of({kGet, "Host: \t "}) == "an empty Host");
  CHECK(fault_of({kGet, "X-Host: a", ""}) == "no Host");
}
