#include "bridge/auth/revocations.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

constexpr Micros kTime = 1'764'000'000'000'000;

TokenOrigin jwt(const std::string& subject, const std::string& id, std::optional<Micros> issued) {
  return {TokenOrigin::Kind::jwt, "key", subject, id, issued};
}
std::string complaint(const std::string& text) {
  const ScratchDirectory scratch;
  const auto file = scratch.write("r", text);
  const auto loaded = load_revocations(file);
  return loaded ? "none" : loaded.error().message.substr(file.string().size());
}

}  // namespace

TEST_CASE("revoked by id, by subject and time, and all at once") {
  Revocations revoked;
  CHECK_FALSE(revoked.hold(jwt("alice", "1", kTime)));
  revoked.ids = {"1"};
  CHECK(revoked.hold(jwt("bob", "1", kTime)));
  CHECK_FALSE(revoked.hold(jwt("bob", "2", kTime)));
  CHECK_FALSE(revoked.hold(jwt("bob", "", kTime)));
  revoked.issued_before = {{"alice", kTime}};
  CHECK(revoked.hold(jwt("alice", "", kTime - 1)));
  CHECK_FALSE(revoked.hold(jwt("alice", "", kTime)));
  CHECK(revoked.hold(jwt("alice", "", std::nullopt)));  // it can't show that it is newer
  CHECK_FALSE(revoked.hold(jwt("bob", "", std::nullopt)));
  revoked.issued_before = {{kEverybody, kTime}};
  CHECK(revoked.hold(jwt("bob", "", kTime - 1)));
  CHECK(revoked.hold(jwt("", "", std::nullopt)));
  CHECK_FALSE(revoked.hold({TokenOrigin::Kind::file, "1", "", "1", std::nullopt}));
}

TEST_CASE("what is saved is read again, by whatever user the bridge runs as") {
  const ScratchDirectory scratch;
  Revocations revoked{{"a", "\"q\" #", "ü\n"}, {{"alice", kTime}, {"*", kTime + 1'000'000}}};
  REQUIRE(save_revocations(scratch.file("r"), revoked).has_value());
  CHECK(scratch.mode("r") == 0644);
  const auto read = load_revocations(scratch.file("r")).value();
  CHECK(read.ids == revoked.ids);
  CHECK(read.issued_before == revoked.issued_before);
}

TEST_CASE("what is too large to be read again is not written, and what to do is said") {
  const ScratchDirectory scratch;
  const auto file = scratch.file("r");
  const auto fits = [&](std::size_t length) {
    return save_revocations(file, {{std::string(length, 'x')}, {}}).has_value();
  };
  std::size_t most = 0;  // the longest id that fits
  for (std::size_t step = 1 << 20; step > 0; step /= 2) most += fits(most + step) ? step : 0;
  REQUIRE(fits(most));
  CHECK(load_revocations(file)->ids.count(std::string(most, 'x')) == 1);
  CHECK(std::filesystem::file_size(file) == 1 << 20);
  const auto saved = save_revocations(file, {{std::string(most + 1, 'x')}, {}});
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().message.find("cannot write " + file.string() + ": it would be over 1 MiB") == 0);
  CHECK(saved.error().message.find("--subject and --issued-before") != std::string::npos);
  CHECK(load_revocations(file)->ids.count(std::string(most, 'x')) == 1);
}

TEST_CASE("a file that all may read is taken, one that all may change is not") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("r", "jti: [a]\n");
  scratch.set_mode("r", 0644);
  CHECK(load_revocations(file)->ids.size() == 1);
  scratch.set_mode("r", 0666);
  const auto loaded = load_revocations(file);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().message.find(file.string() + " says who is let in") == 0);
}

TEST_CASE("a file that is not there, or empty, revokes nothing") {
  CHECK(load_revocations("/nowhere/at/all")->ids.empty());
  CHECK(complaint("") == "none");
  CHECK(complaint("jti:\nissued_before:\n") == "none");
}

TEST_CASE("a broken file names its line") {
  CHECK(complaint("- a") == ":1:1: a file of revoked tokens has the keys jti and issued_before");
  CHECK(complaint("jtis: [a]") == ":1:1: unknown key \"jtis\" (jti, issued_before)");
  CHECK(complaint("jti: a") == ":1:6: jti must be a list of token ids, for example [7d2c]");
  CHECK(complaint("jti: [[a]]") == ":1:7: a jti must be a text");
  CHECK(complaint("jti: [7d2c, \"\xa1\"]") == ":1:13: a jti must be UTF-8");
  CHECK(complaint("issued_before: {\xa1: 2027-01-01T00:00:00Z}") == ":1:17: a subject must be UTF-8");
  CHECK(complaint("issued_before: [a]").find(":1:16: issued_before must be a map") == 0);
  CHECK(complaint("issued_before: {alice: yesterday}") ==
        ":1:24: the time of \"alice\" must be a time such as 2027-01-01T00:00:00Z");
  CHECK(complaint("\"a\\nb\": [a]") == ":1:1: unknown key \"a?b\" (jti, issued_before)");
  CHECK(complaint("jti: [a]\njti: [b]") == ":2:1: \"jti\" is there twice");
  CHECK(complaint("jti: [a").find(":") == 0);
  const std::string second = "a second document starts here: one file, one document";
  CHECK(complaint("jti: [a]\n---\njti: [b]\n") == ":2:1: " + second);
  CHECK(complaint("---\n# nothing yet\n---\njti: [b]\n") == ":3:1: " + second);
  CHECK(complaint("jti: [a]\n...\njti: [b]\n") == ":3:1: " + second);
  CHECK(complaint("{jti: [a]}\njti: [b]\n") == ":2:1: " + second);
  CHECK(complaint("jti: [a]\n---\n") == ":2:1: " + second);
  CHECK(complaint("# one\n---\njti: [a]\n...\n") == "none");
}
