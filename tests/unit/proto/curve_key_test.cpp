#include "proto/curve_key.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

// The pair of ZeroMQ's own manual.
const std::string kPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const std::string kSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

std::string complaint(const std::string& text) {
  const auto keys = parse_curve_keys(text);
  return keys ? "none" : keys.error().message;
}

}  // namespace

TEST_CASE("a key is 40 characters of Z85 that stand for 32 bytes") {
  CHECK(is_curve_key(kPublic));
  CHECK(is_curve_key(kSecret));
  CHECK(is_curve_key(std::string(40, '0')));
  CHECK_FALSE(is_curve_key(""));
  CHECK_FALSE(is_curve_key(kPublic.substr(1)));
  CHECK_FALSE(is_curve_key(kPublic + "0"));
  for (const char bad : {' ', '"', '\'', ',', ';', '\\', '_', '`', '|', '~', '\n', '\0', '\x80'}) {
    auto text = kPublic;
    text[7] = bad;
    CHECK_FALSE(is_curve_key(text));
  }
  CHECK(is_curve_key("%nSc0" + std::string(35, '0')));        // 2^32 - 1
  CHECK_FALSE(is_curve_key("%nSc1" + std::string(35, '0')));  // 2^32
}

TEST_CASE("what is printed is read again") {
  for (const auto& secret : {kSecret, std::string()}) {
    const auto keys = parse_curve_keys(print_curve_keys({kPublic, secret}, "of worker-1"));
    REQUIRE(keys);
    CHECK(keys->public_key == kPublic);
    CHECK(keys->secret_key == secret);
  }
}

TEST_CASE("blanks, empty lines, comments and other line ends do no harm") {
  const auto keys = parse_curve_keys("\r\n# hello\r\n\n  secret:" + kSecret + "\r\n\tpublic :  " + kPublic);
  REQUIRE(keys);
  CHECK(keys->public_key == kPublic);
  CHECK(keys->secret_key == kSecret);
}

TEST_CASE("what is wrong with a key file is said with its line, and never with a secret") {
  const auto none = "the public key is none (40 characters, as `trestle keygen` writes them)";
  CHECK(complaint("") == "1: no public key: \"public: KEY\" is missing");
  CHECK(complaint("secret: " + kSecret + "\n") == "2: no public key: \"public: KEY\" is missing");
  CHECK(complaint("# x\npublic: " + kPublic.substr(1)) == std::string("2: ") + none);
  CHECK(complaint("public:\n") == std::string("1: ") + none);
  CHECK(complaint("public: " + kPublic + "\npublic: " + kPublic) == "2: a second public key");
  CHECK(complaint(kPublic) ==
        "1: neither \"public: KEY\" nor \"secret: KEY\", which is all that a key file holds");
  CHECK(complaint("private: x").find("1: neither") == 0);
  CHECK(complaint("secret: " + kSecret + "x").find(kSecret) == std::string::npos);
}
