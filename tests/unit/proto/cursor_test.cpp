#include "proto/cursor.h"

#include <doctest/doctest.h>

#include <string>

using namespace trestle;

TEST_CASE("a cursor is an epoch and an offset, or 0") {
  const auto cursor = parse_cursor("1795355652976478:151");
  REQUIRE(cursor);
  CHECK(cursor->epoch == "1795355652976478");
  CHECK(cursor->offset == 151);
  const auto nothing_yet = parse_cursor("0");
  REQUIRE(nothing_yet);
  CHECK(nothing_yet->epoch.empty());
  CHECK(nothing_yet->offset == 0);
  CHECK(parse_cursor(std::string(20, '9') + ":9007199254740991"));
}

TEST_CASE("nothing else is a cursor") {
  for (const char* text : {"", ":", "1", "00", "1:", ":1", "1:-1", "1:+1", "1:1 ", " 1:1", "1:1:1", "x:1",
                           "1:x", "1.5:1", "1:9007199254740992", "999999999999999999999:1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cursor(text));
  }
}

TEST_CASE("epochs are compared as numbers") {
  CHECK(is_later_epoch("2", "1"));
  CHECK(is_later_epoch("10", "9"));
  CHECK(is_later_epoch("1795355652976478", "0895355652976478"));
  CHECK_FALSE(is_later_epoch("1", "1"));
  CHECK_FALSE(is_later_epoch("0009", "10"));
  CHECK_FALSE(is_later_epoch("", "1"));  // of the cursor 0
}
