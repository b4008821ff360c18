#include "bridge/auth/token_file.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

const std::string kHash(64, 'a');
const std::string kOtherHash(64, 'b');

/// What is said about a file of this content, with the path in front left out.
std::string complaint(const std::string& content) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("tokens.yaml", content);
  const auto loaded = load_token_file(path);
  if (loaded) return "none, " + std::to_string(loaded->size()) + " tokens";
  const auto& message = loaded.error().message;
  CHECK(message.compare(0, path.string().size() + 1, path.string() + ":") == 0);
  CHECK(message.find('\n') == std::string::npos);
  return message.substr(path.string().size() + 1);
}
/// The same for one token with these lines; the first line of the token is the file's second.
std::string token_complaint(const std::string& first, const std::string& second = {},
                            const std::string& third = {}) {
  auto content = "tokens:\n  - " + first + "\n";
  if (!second.empty()) content += "    " + second + "\n";
  if (!third.empty()) content += "    " + third + "\n";
  return complaint(content);
}

}  // namespace

TEST_CASE("what is saved is loaded again") {
  const ScratchDirectory scratch;
  const auto path = scratch.file("tokens.yaml");
  const std::vector<TokenRecord> records{
      {"dashboard", kHash, {"read:task.>", "admin"}, 1'764'000'000'000'000, 1'798'761'600'000'000},
      {"\"odd: name\" # \n\t{x} 100% ü", kOtherHash, {}, 0, std::nullopt},
      {"true", std::string(64, '0'), {"read:$sys.producer.*"}, 1'000'000, std::nullopt},
      {"12e3", std::string(63, '0') + "e", {"publish:a.%2A"}, 2'000'000, std::nullopt}};
  REQUIRE(save_token_file(path, records).has_value());
  CHECK(scratch.mode("tokens.yaml") == 0600);
  const auto loaded = load_token_file(path);
  REQUIRE(loaded.has_value());
  REQUIRE(loaded->size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = loaded.value()[i];
    CHECK(record.name == records[i].name);
    CHECK(record.sha256_hex == records[i].sha256_hex);
    CHECK(record.scopes == records[i].scopes);
    CHECK(record.created == records[i].created);
    CHECK(record.expires == records[i].expires);
  }
}

TEST_CASE("saving replaces the file at once and leaves nothing beside it") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("tokens.yaml", "old");
  REQUIRE(save_token_file(path, {}).has_value());
  CHECK(scratch.listing() == "tokens.yaml");
  CHECK(load_token_file(path)->empty());
}

TEST_CASE("a list that is too large to be read again is not written") {
  const ScratchDirectory scratch;
  std::vector<TokenRecord> records;
  for (std::size_t i = 0; i < 8'000; ++i) {
    records.push_back({"token " + std::to_string(i), std::string(64, 'a'), {"read"}, 0, std::nullopt});
  }
  const auto saved = save_token_file(scratch.file("t"), records);
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().message.find("over 1 MiB") != std::string::npos);
  CHECK(scratch.listing().empty());
}

TEST_CASE("a file without tokens is fine") {
  CHECK(complaint("") == "none, 0 tokens");
  CHECK(complaint("# nothing yet\n") == "none, 0 tokens");
  CHECK(complaint("tokens:\n") == "none, 0 tokens");
  CHECK(complaint("tokens: []\n") == "none, 0 tokens");
}

TEST_CASE("a malformed file is answered with one line: file, line, column and what is wrong") {
  CHECK(complaint("just text\n") == "1:1: a token file has one key, tokens");
  CHECK(complaint("- a\n") == "1:1: a token file has one key, tokens");
  CHECK(complaint("- a\n- b\n") == "1:1: a token file has one key, tokens");
  CHECK(complaint("token: []\n") == "1:1: a token file has one key, tokens");
  CHECK(complaint("tokens: []\nmore: 1\n") == "1:1: a token file has one key, tokens");
  CHECK(complaint("tokens: []\n---\ntokens: []\n") ==
        "2:1: a second document starts here: one file, one document");
  CHECK(complaint("tokens: 7\n") == "1:9: tokens must be a list");
  CHECK(complaint("tokens:\n  - 7\n") == "2:5: a token must be a map with name, sha256 and scopes");
  CHECK(complaint("tokens: [{name: a\n").find(":") != std::string::npos);
  CHECK(complaint("tokens: \"\xff\n").find(":") != std::string::npos);
  CHECK(complaint("tokens:\n\t- a\n").compare(0, 2, "2:") == 0);
}

TEST_CASE("a malformed token says which line of it") {
  const auto hash = "sha256: " + kHash;
  CHECK(token_complaint("name: a", hash) == "none, 1 tokens");
  CHECK(token_complaint("name: a") == "2:5: a token needs a name and a sha256");
  CHECK(token_complaint(hash) == "2:5: a token needs a name and a sha256");
  CHECK(token_complaint("name: \"\"", hash) == "2:5: a token needs a name and a sha256");
  CHECK(token_complaint("name: [a]", hash) == "2:11: name must be a text");
  CHECK(token_complaint("name: a", "sha256: abc") == "3:13: sha256 must be 64 lower-case hex digits");
  CHECK(token_complaint("name: a", "sha256: " + std::string(64, 'A')) ==
        "3:13: sha256 must be 64 lower-case hex digits");
  CHECK(token_complaint("name: a", hash, "scopes: read") ==
        "4:13: scopes must be a list, for example [read]");
  CHECK(token_complaint("name: a", hash, "scopes: [[read]]") == "4:14: a scope must be a text");
  CHECK(token_complaint("name: a", hash, "scopes: [reed]").find("4:13: unknown scope \"reed\" (") == 0);
  CHECK(token_complaint("name: a", hash, "scopes: [\"read:a..b\"]") ==
        "4:13: scope \"read:a..b\": \"a..b\": segment 2 is empty");
  CHECK(token_complaint("name: a", hash, "expires: soon") ==
        "4:14: expires must be a time such as 2027-01-01T00:00:00Z");
  CHECK(token_complaint("name: a", hash, "created: 2027-01-01") ==
        "4:14: created must be a time such as 2027-01-01T00:00:00Z");
  CHECK(token_complaint("name: a", hash, "expires: [2027-01-01T00:00:00Z]") ==
        "4:14: expires must be a text");
  CHECK(token_complaint("name: a", hash, "expire: x") ==
        "4:5: unknown key \"expire\" (name, sha256, scopes, created, expires)");
  CHECK(token_complaint("name: a", hash, "name: b") == "4:5: \"name\" is there twice");
  CHECK(token_complaint("name: a", hash, "[b]: c") == "4:5: a key must be a text");
  CHECK(token_complaint("name: a", hash, "expires:") == "4:5: expires has no value");
}

TEST_CASE("names and hashes are unique") {
  const auto token = [](const std::string& name, const std::string& hash) {
    return "  - {name: " + name + ", sha256: " + hash + "}\n";
  };
  CHECK(complaint("tokens:\n" + token("a", kHash) + token("a", kOtherHash)) ==
        "3:5: token \"a\" is there twice (by name or by hash)");
  CHECK(complaint("tokens:\n" + token("a", kHash) + token("b", kHash)) ==
        "3:5: token \"b\" is there twice (by name or by hash)");
  CHECK(complaint("tokens:\n" + token("a", kHash) + token("b", kOtherHash)) == "none, 2 tokens");
}

TEST_CASE("hostile nesting is an error, not a crash") {
  CHECK(complaint("tokens: " + std::string(500'000, '[')).compare(0, 2, "1:") == 0);
  CHECK(complaint(std::string(100'000, '{')).compare(0, 2, "1:") == 0);
}

TEST_CASE("a file that can't be read is named") {
  const auto loaded = load_token_file("/nowhere/tokens.yaml");
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().message == "cannot read /nowhere/tokens.yaml: No such file or directory");
}

TEST_CASE("times are UTC with seconds, and only times that exist") {
  CHECK(format_time(0) == "1970-01-01T00:00:00Z");
  CHECK(format_time(1'798'761'600'999'999) == "2027-01-01T00:00:00Z");
  CHECK(parse_time("2027-01-01T00:00:00Z") == 1'798'761'600'000'000);
  CHECK(parse_time("2028-02-29T23:59:59Z").has_value());
  for (const auto* text :
       {"", "2027-01-01", "2027-01-01T00:00:00", "2027-01-01T00:00:00z", "2027-01-01T00:00:00Z ",
        " 2027-01-01T00:00:00Z", "2027-02-30T00:00:00Z", "2027-13-01T00:00:00Z", "2027-1-1T0:0:0Z",
        "2027-01-01T24:00:00Z", "2027-01-01T00:00:60Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text).has_value());
  }
}
