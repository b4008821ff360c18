#include "bridge/auth/base64url.h"

#include <doctest/doctest.h>

using namespace trestle;

TEST_CASE("base64url goes there and back") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
    bytes += static_cast<char>(i * 7);
  }
  CHECK(base64url_encode("\xfb\xff") == "-_8");
  CHECK(base64url_decode("") == "");
}

TEST_CASE("only one text stands for some bytes") {
  for (const auto* text :
       {"QQ==", "QQ=", "QR", "QUF", "Q", "QUJDR", "+/8", " QQ", "QQ ", "Q\nQ", "QQ.", "\xc3\x9c", "===="}) {
    CAPTURE(text);
    CHECK_FALSE(base64url_decode(text).has_value());
  }
  CHECK(base64url_decode("QQ") == "A");
  CHECK_FALSE(base64url_decode(std::string("QQ\0", 3)).has_value());
}
