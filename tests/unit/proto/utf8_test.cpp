#include "proto/utf8.h"

#include <doctest/doctest.h>

#include <string>

using trestle::is_utf8;

TEST_CASE("well-formed text of every length, wherever it stands") {
  for (const std::string character :
       {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    for (std::size_t before = 0; before < 20; ++before) {
      const auto text = std::string(before, 'x') + character;
      CHECK(is_utf8(text));
      CHECK(is_utf8(text + std::string(before, 'y')));
    }
  }
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string(3, '\0')));
}

TEST_CASE("what is not well-formed is found, wherever it stands") {
  for (const std::string wrong :
       {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0", "\xe0\x9f\xbf", "\xe0\xa0",
        "\xe0\xa0\x7f", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
        "\xf0\x90\x80\xc0", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff"}) {
    for (std::size_t before = 0; before < 20; ++before) {
      const auto text = std::string(before, 'x') + wrong;
      CHECK_FALSE(is_utf8(text));
      CHECK_FALSE(is_utf8(text + std::string(before, 'y')));
    }
  }
}
