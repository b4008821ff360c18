#include "proto/stamp.h"

#include <doctest/doctest.h>

#include <string>

using namespace trestle;

namespace {

/// 24 bytes with any values in the three fields, also such as encode() is never given.
std::string stamp_bytes(std::uint64_t epoch, std::uint64_t seq, std::uint64_t time) {
  const auto stamp = encode(Stamp{epoch, seq, static_cast<Micros>(time)});
  return {stamp.data(), stamp.size()};
}

}  // namespace

TEST_CASE("a stamp is three big-endian integers") {
  const std::string bytes = stamp_bytes(0x0102030405060708 & (kIntegerLimit - 1), 1, 0xABCD);
  CHECK(bytes == std::string("\x00\x02\x03\x04\x05\x06\x07\x08"
                             "\x00\x00\x00\x00\x00\x00\x00\x01"
                             "\x00\x00\x00\x00\x00\x00\xAB\xCD",
                             24));
}

TEST_CASE("a stamp comes back as it was") {
  const auto stamp = decode_stamp(stamp_bytes(1761912000123456, 42, 1761912000999999));
  REQUIRE(stamp);
  CHECK(stamp->epoch == 1761912000123456);
  CHECK(stamp->seq == 42);
  CHECK(stamp->time == 1761912000999999);
}

TEST_CASE("each field of a stamp lies in [1, 2^53); with another time it is still known which event it is") {
  const std::uint64_t most = kIntegerLimit - 1;
  CHECK(decode_stamp(stamp_bytes(1, 1, 1)));
  CHECK(decode_stamp(stamp_bytes(most, most, most)));
  for (const std::uint64_t bad : {std::uint64_t{0}, kIntegerLimit, ~std::uint64_t{0}}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_stamp(stamp_bytes(bad, 1, 1)));
    CHECK_FALSE(decode_stamp(stamp_bytes(1, bad, 1)));
    const auto timeless = decode_stamp(stamp_bytes(2, 3, bad));
    REQUIRE(timeless);
    CHECK(timeless->epoch == 2);
    CHECK(timeless->seq == 3);
    CHECK(timeless->time == 0);
  }
}

TEST_CASE("a stamp has exactly 24 bytes") {
  const std::string bytes = stamp_bytes(1, 1, 1);
  CHECK_FALSE(decode_stamp(""));
  CHECK_FALSE(decode_stamp(bytes.substr(0, 23)));
  CHECK_FALSE(decode_stamp(bytes + '\0'));
}
