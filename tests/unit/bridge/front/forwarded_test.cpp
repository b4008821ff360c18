#include "bridge/front/forwarded.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

std::string client_of(const std::string& header) {
  static const std::vector<Network> trusted{*Network::parse("10.0.0.0/8"),
                                            *Network::parse("2001:db8:aa::/48")};
  const auto address = forwarded_for(header, trusted);
  return address ? address->text() : "none";
}

}  // namespace

TEST_CASE("the client is the rightmost address that is no proxy's") {
  CHECK(client_of("192.0.2.1") == "192.0.2.1");
  CHECK(client_of("203.0.113.9, 192.0.2.1") == "192.0.2.1");
  CHECK(client_of("192.0.2.1, 10.0.0.5") == "192.0.2.1");
  CHECK(client_of("203.0.113.9,192.0.2.1 ,\t10.0.0.5, 2001:db8:aa::1") == "192.0.2.1");
  CHECK(client_of("::ffff:192.0.2.1, ::ffff:10.0.0.1") == "192.0.2.1");
}

TEST_CASE("addresses come with brackets, ports and quotes") {
  CHECK(client_of("192.0.2.1:4711") == "192.0.2.1");
  CHECK(client_of("2001:db8::1") == "2001:db8::1");
  CHECK(client_of("[2001:db8::1]") == "2001:db8::1");
  CHECK(client_of("[2001:db8::1]:4711, [2001:db8:aa::2]:1") == "2001:db8::1");
  CHECK(client_of("\"[2001:db8::1]:4711\"") == "2001:db8::1");
}

TEST_CASE("what is no address is not guessed at, nor is what stands left of it believed") {
  for (const char* wrong : {"",
                            ",",
                            " ",
                            "unknown",
                            "192.0.2.1, unknown",
                            "192.0.2.1, ",
                            "192.0.2.1,,10.0.0.1",
                            "192.0.2.256",
                            "192.0.2.1:",
                            "192.0.2.1:x",
                            "192.0.2.1:123456",
                            "[2001:db8::1",
                            "[2001:db8::1]x",
                            "[192.0.2.1]",
                            "2001:db8::1]",
                            "example.com",
                            "192.0.2.1 192.0.2.2",
                            "10.0.0.1",
                            "10.0.0.1, 10.0.0.2",
                            "::1%lo"}) {
    INFO(wrong);
    CHECK(client_of(wrong) == "none");
  }
  CHECK(client_of(std::string(10'000, ',')) == "none");
}

TEST_CASE("no more than 32 proxies are walked through") {
  std::string header = "192.0.2.1";
  for (int i = 0; i < 31; ++i) header += ", 10.0.0.1";
  CHECK(client_of(header) == "192.0.2.1");
  CHECK(client_of(header + ", 10.0.0.1") == "none");
}
