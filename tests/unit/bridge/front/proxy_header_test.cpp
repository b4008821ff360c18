#include "bridge/front/proxy_header.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace trestle;
using namespace std::string_literals;

namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(char command, char family, const std::string& rest) {
  const auto size = rest.size();
  return kSignature + command + family + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) + rest;
}

const std::string kFour = binary('\x21', '\x11', "\xc0\0\2\7\xc0\0\2\x01\x12\x67\x01\xbb"s);
const std::string kSix =
    binary('\x21', '\x21', "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(20, '\x01'));

/// Reads as a session does, at most `piece` bytes at a time. The client's address, "nobody", "more" or "bad";
/// what was not read is left in `bytes`.
std::string read(std::string& bytes, std::size_t piece = 100'000) {
  ProxyHeader header;
  while (!bytes.empty()) {
    const auto size = std::min({header.wants(), piece, bytes.size()});
    REQUIRE(size > 0);
    const auto state = header.feed(bytes.substr(0, size));
    bytes.erase(0, size);
    if (state == ProxyHeader::State::bad) return "bad";
    if (state == ProxyHeader::State::done) return header.source() ? header.source()->text() : "nobody";
  }
  return "more";
}

std::string source_of(std::string bytes) { return read(bytes); }

}  // namespace

TEST_CASE("version 2 says whom a connection is from") {
  CHECK(source_of(kFour) == "192.0.2.7");
  CHECK(source_of(kSix) == "2001:db8::7");
  CHECK(source_of(binary('\x21', '\x12', kFour.substr(16))) == "192.0.2.7");  // UDP, for what it is worth
}

TEST_CASE("version 1 does too") {
  CHECK(source_of("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n") == "192.0.2.7");
  CHECK(source_of("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n") == "2001:db8::7");
  CHECK(source_of("PROXY UNKNOWN\r\n") == "nobody");
  CHECK(source_of("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n") == "nobody");
}

TEST_CASE("a proxy's own connection is nobody's") {
  CHECK(source_of(binary('\x20', '\0', "")) == "nobody");
  CHECK(source_of(binary('\x20', '\x11', kFour.substr(16))) == "nobody");
  CHECK(source_of(binary('\x21', '\0', "")) == "nobody");                       // UNSPEC
  CHECK(source_of(binary('\x21', '\x31', std::string(216, 'x'))) == "nobody");  // a Unix socket
}

TEST_CASE("what it says beside is passed over") {
  const std::string tlv("\x20\0\x0a\1\0\0\0\0\1\2\3\4\5", 13);
  CHECK(source_of(binary('\x21', '\x11', kFour.substr(16) + tlv)) == "192.0.2.7");
  CHECK(source_of(binary('\x21', '\x11', kFour.substr(16) + std::string(4000, '\0'))) == "192.0.2.7");
}

TEST_CASE("nothing of what follows is read, wherever the bytes are cut") {
  const std::string request = "GET / HTTP/1.1\r\n\r\n";
  for (const auto& header : {kFour, kSix, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"s,
                             "PROXY UNKNOWN\r\n"s, binary('\x20', '\0', "")}) {
    for (std::size_t piece = 1; piece < header.size() + 5; ++piece) {
      auto bytes = header + request;
      const auto source = read(bytes, piece);
      REQUIRE(source != "bad");
      REQUIRE(source != "more");
      REQUIRE(bytes == request);
    }
    for (std::size_t size = 0; size < header.size(); ++size)
      REQUIRE(source_of(header.substr(0, size)) == "more");
  }
}

TEST_CASE("what is no PROXY header is bad at its first wrong byte, or where it gets too long") {
  for (const auto& wrong :
       {"GET / HTTP/1.1\r\n"s, "PROXX TCP4 1.2.3.4 5.6.7.8 1 2\r\n"s, "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n"s,
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n"s, "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"s,
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"s, "PROXY TCP4 1.2.3.4\r\n"s,
        "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n"s, "PROXY "s + std::string(200, 'x'),
        binary('\x11', '\x11', kFour.substr(16)), binary('\x22', '\x11', kFour.substr(16)),
        binary('\x21', '\x11', "short"), binary('\x21', '\x21', "short"), kSignature + "\x21\x11\xff\xff",
        "\x16\x03\x01\x02"s, "\r\n\r\n\r\n"s}) {
    INFO(wrong);
    CHECK(source_of(wrong) == "bad");
  }
}
