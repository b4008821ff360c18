#include "bridge/auth/tokens.h"

#include <doctest/doctest.h>

#include <set>

using namespace trestle;

TEST_CASE("a token is 43 characters of base64url and never the same twice") {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const auto token = new_token();
    REQUIRE(token.size() == 43);
    REQUIRE(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
            std::string::npos);
    REQUIRE(seen.insert(token).second);
  }
}

TEST_CASE("a token's hash is its SHA-256 in lower-case hex") {
  // FIPS 180-2, appendix B.1
  CHECK(hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_token("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("secrets are equal when all of them is") {
  CHECK(equal_secrets("", ""));
  CHECK(equal_secrets("abc", "abc"));
  CHECK_FALSE(equal_secrets("abc", "abd"));
  CHECK_FALSE(equal_secrets("abc", "ab"));
  CHECK_FALSE(equal_secrets(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}
