#include "bridge/config/ip_address.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

std::string text_of(const char* text) {
  const auto address = IpAddress::parse(text);
  return address ? address->text() : "none";
}

std::string error_of(const std::string& text) {
  const auto network = Network::parse(text);
  return network ? "ok" : network.error().message;
}

bool holds(const char* network, const char* address) {
  return Network::parse(network)->contains(*IpAddress::parse(address));
}

}  // namespace

TEST_CASE("an address is read and written") {
  CHECK(text_of("192.0.2.7") == "192.0.2.7");
  CHECK(text_of("2001:DB8:0:0::1") == "2001:db8::1");
  CHECK(text_of("::ffff:192.0.2.7") == "192.0.2.7");
  for (const char* wrong : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.07", "1.2.3.4 ", "[::1]",
                            "::1%lo", "1.2.3.4:80", "1::2::3"}) {
    CHECK(text_of(wrong) == "none");
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  CHECK_FALSE(IpAddress::parse(std::string(10'000, '1')));
}

TEST_CASE("an IPv4 address is one and the same, mapped or not") {
  CHECK(*IpAddress::parse("::ffff:10.0.0.1") == *IpAddress::parse("10.0.0.1"));
  CHECK(IpAddress::parse("::ffff:127.0.0.1")->is_loopback());
  CHECK(IpAddress::parse("::ffff:10.0.0.1")->is_v4());
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1") {
  CHECK(IpAddress::parse("127.255.0.1")->is_loopback());
  CHECK(IpAddress::parse("::1")->is_loopback());
  CHECK_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  CHECK_FALSE(IpAddress::parse("::2")->is_loopback());
  CHECK_FALSE(IpAddress::parse("::")->is_loopback());
}

TEST_CASE("who has one address of a /64 of IPv6 has them all") {
  const auto block = [](const char* text) { return IpAddress::parse(text)->block().text(); };
  CHECK(block("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(block("2001:db8:1:2:ffff::") == block("2001:db8:1:2::9"));
  CHECK(block("2001:db8:1:3::9") != block("2001:db8:1:2::9"));
  CHECK(block("192.0.2.7") == "192.0.2.7");
}

TEST_CASE("a network holds what begins as it does") {
  CHECK(holds("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
  CHECK(holds("192.0.2.128/25", "192.0.2.129"));
  CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  CHECK(holds("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(holds("192.0.2.7", "192.0.2.8"));
  CHECK(holds("192.0.2.7/32", "192.0.2.7"));
  CHECK(holds("2001:db8::/33", "2001:db8:7fff::"));
  CHECK_FALSE(holds("2001:db8::/33", "2001:db8:8000::"));
  CHECK(holds("::1", "::1"));
  CHECK_FALSE(holds("2001:db8::/32", "10.0.0.1"));
}

TEST_CASE("what is no network is told what would be") {
  CHECK(error_of("10.0.0.0/8") == "ok");
  CHECK(error_of("10.0.0.1/8") ==
        "\"10.0.0.1/8\" has bits beyond its length: \"10.0.0.0/8\" is the range that holds it");
  for (const char* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "::/129",
                            "host", "10.0.0.0/8/8", "[::1]"}) {
    CHECK(error_of(wrong).find(" is not a range of addresses: write one such as \"10.0.0.0/8\"") !=
          std::string::npos);
  }
  for (const char* everybody : {"0.0.0.0/0", "::/0"}) {
    CHECK(error_of(everybody) ==
          '"' + std::string(everybody) + "\" is everybody: name the proxies themselves");
  }
}
