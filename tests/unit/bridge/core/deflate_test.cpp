#include "bridge/core/deflate.h"

#include <doctest/doctest.h>

#include <ostream>
#include <random>
#include <string>

using namespace trestle;

namespace {

constexpr std::size_t kMax = 64 * 1024;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

std::string deflated(const std::string& message) {
  Deflater deflater;
  std::string out;
  REQUIRE(deflater.deflate(message, out));
  return out;
}

/// What it inflates to, or the word for why not.
std::string inflated(const std::string& message, std::size_t max = kMax) {
  static Inflater inflater;  // as in the bridge, one for all, whatever came before
  std::string out = "left from before";
  switch (inflater.inflate(message, max, out)) {
    case Inflated::ok: return out;
    case Inflated::too_big: return "too big";
    case Inflated::invalid: return "invalid";
  }
  return {};
}

std::string some_json(std::size_t items) {
  std::string text = R"({"type":"queue-update","items":[)";
  for (std::size_t i = 0; i < items; ++i)
    text += R"({"id":)" + std::to_string(i * 7919) + R"(,"state":"waiting"},)";
  return text + "{}]}";
}

}  // namespace

TEST_CASE("the examples of RFC 7692, section 7.2.3") {
  const auto hello = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  CHECK(inflated(hello) == "Hello");                                                            // 7.2.3.1
  CHECK(inflated(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})) ==  // 7.2.3.3
        "Hello");
  CHECK(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})) == "Hello");  // 7.2.3.4
  CHECK(inflated(bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})) ==
        "Hello");                        // 7.2.3.5
  CHECK(inflated(bytes({0x00})) == "");  // 7.2.3.6
  CHECK(inflated(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})) ==
        "invalid");  // 7.2.3.2: leans on the message before
}

TEST_CASE("what the deflater makes, the inflater takes; each message by itself") {
  Deflater deflater;
  for (const std::size_t items : {2u, 20u, 200u, 1000u}) {
    const auto text = some_json(items);
    for (int again = 0; again < 2; ++again) {
      std::string out = "head";
      REQUIRE(deflater.deflate(text, out));
      CHECK(out.size() < text.size() / 2 + 64);
      CHECK(out.compare(0, 4, "head") == 0);
      CHECK(inflated(out.substr(4)) == text);
    }
  }
}

TEST_CASE("what does not get shorter is left alone, by every byte of it") {
  std::mt19937 random(7);
  Deflater deflater;
  for (std::size_t size = 0; size < 300; ++size) {
    std::string noise;
    for (std::size_t i = 0; i < size; ++i) noise += static_cast<char>(random() & 0xff);
    std::string out = "head";
    CHECK_FALSE(deflater.deflate(noise, out));
    CHECK(out == "head");
  }
  for (std::size_t size = 1; size < 300; ++size) {
    std::string out;
    const std::string text(size, 'a');
    if (deflater.deflate(text, out)) CHECK(out.size() < size);
    if (!out.empty()) CHECK(inflated(out) == text);
  }
}

TEST_CASE("the inflated size is bounded, exactly") {
  const std::string text(1000, 'x');
  CHECK(inflated(deflated(text), 1000) == text);
  CHECK(inflated(deflated(text), 999) == "too big");
}

TEST_CASE("a bomb costs a buffer more than is allowed, no more") {
  const auto bomb = deflated(std::string(16 * 1024 * 1024, '\0'));
  REQUIRE(bomb.size() < 80'000);
  Inflater inflater;
  std::string out;
  CHECK(inflater.inflate(bomb, 1000, out) == Inflated::too_big);
  CHECK(out.size() <= 1000 + 16384);
  CHECK(out.capacity() <= 64 * 1024);
}

TEST_CASE("a message cut anywhere is invalid, or a shorter one that is whole") {
  const auto text = some_json(40);
  const auto whole = deflated(text);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    const auto got = inflated(whole.substr(0, cut));
    CHECK(got == "invalid");
  }
}

TEST_CASE("garbage is invalid or something, and the next message is untouched by it") {
  std::mt19937 random(11);
  const auto good = deflated(some_json(10));
  for (int round = 0; round < 2000; ++round) {
    std::string garbage(1 + random() % 60, '\0');
    for (auto& c : garbage) c = static_cast<char>(random() & 0xff);
    inflated(garbage, 5000);
    REQUIRE(inflated(good) == some_json(10));
  }
}

TEST_CASE("a block of the message may not reach into the flush that ends it") {
  // A stored block of four bytes that are not there: it would swallow the tail.
  CHECK(inflated(bytes({0x00, 0x04, 0x00, 0xfb, 0xff})) == "invalid");
  CHECK(inflated("") == "invalid");
  CHECK(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})) ==
        "invalid");  // final, and no byte for a flush
}
