#include "bridge/auth/authority.h"

#include <doctest/doctest.h>

#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

constexpr Micros kNow = 1'764'000'000'000'000;

/// A bridge's authority over a token file in a directory of its own.
class AuthorityFixture {
 public:
  AuthorityFixture() { settings.tokens_file = scratch.file("tokens.yaml"); }

  void start() { authority = std::move(*Authority::make(settings)); }
  void save(const std::vector<TokenRecord>& records) {
    REQUIRE(save_token_file(settings.tokens_file, records).has_value());
  }
  /// Whose token it is, or why it is nobody's.
  std::string who(const std::string& token, Micros now = kNow) const {
    const auto identity = authority->authenticate(token, now);
    if (identity) return (*identity)->name;
    return identity.error() == AuthFailure::expired ? "expired" : "unknown";
  }

  ScratchDirectory scratch;
  AuthSettings settings;
  std::unique_ptr<Authority> authority;
};

TokenRecord token(const std::string& name, const std::string& secret, std::optional<Micros> expires = {}) {
  return {name, hash_token(secret), {"read"}, 0, expires};
}

}  // namespace

TEST_CASE("a token is worth what the file says") {
  AuthorityFixture bridge;
  bridge.save({token("alice", "secret-a"), token("bob", "secret-b")});
  bridge.start();
  CHECK(bridge.who("secret-a") == "alice");
  CHECK(bridge.who("secret-b") == "bob");
  CHECK(bridge.who("secret-c") == "unknown");
  CHECK(bridge.who("secret-a ") == "unknown");
  CHECK(bridge.who(std::string("secret-a\0", 9)) == "unknown");
  CHECK(bridge.who("") == "unknown");
  CHECK(bridge.who(hash_token("secret-a")) == "unknown");  // a stolen file opens nothing
}

TEST_CASE(
    "the static token reads everything, $sys too, and nothing else; the file's tokens are there beside it") {
  AuthorityFixture bridge;
  bridge.settings.token = "static-secret";
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  CHECK(bridge.who("static-secret") == "static");
  CHECK(bridge.who("secret-a") == "alice");
  const auto identity = bridge.authority->authenticate("static-secret", kNow);
  CHECK((*identity)->rights.may_read("anything"));
  CHECK((*identity)->rights.may_read("$sys.health"));
  CHECK((*identity)->rights.may_see("secrets"));
  CHECK_FALSE((*identity)->rights.admin);
  CHECK((*identity)->rights.publish.empty());
  CHECK((*identity)->rights.command.empty());
}

TEST_CASE("a token expires when its time has come") {
  AuthorityFixture bridge;
  bridge.save({token("alice", "secret-a", kNow)});
  bridge.start();
  CHECK(bridge.who("secret-a", kNow - 1) == "alice");
  CHECK(bridge.who("secret-a", kNow) == "expired");
}

TEST_CASE("without authentication no token is known, and who connects may read") {
  AuthorityFixture bridge;
  bridge.settings.enabled = false;
  bridge.settings.token = "static-secret";
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  CHECK_FALSE(bridge.authority->enabled());
  CHECK(bridge.who("secret-a") == "unknown");
  const auto anonymous = bridge.authority->anonymous();
  CHECK(anonymous->rights.may_read("a"));
  CHECK_FALSE(anonymous->rights.may_read("$sys.health"));
  CHECK_FALSE(anonymous->rights.may_see("secrets"));
  CHECK_FALSE(anonymous->rights.admin);
  CHECK_FALSE(anonymous->expires.has_value());
}

TEST_CASE("reading the file again: new tokens open, removed ones no longer do") {
  AuthorityFixture bridge;
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  const auto before = bridge.authority->authenticate("secret-a", kNow);
  bridge.save({token("bob", "secret-b")});
  CHECK(bridge.who("secret-b") == "unknown");
  REQUIRE(bridge.authority->reload().has_value());
  CHECK(bridge.who("secret-b") == "bob");
  CHECK(bridge.who("secret-a") == "unknown");
  CHECK((*before)->name == "alice");  // an identity handed out stays what it was
}

TEST_CASE("a broken file keeps the tokens as they were") {
  AuthorityFixture bridge;
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  SUBCASE("malformed") {
    bridge.scratch.write("tokens.yaml", "tokens: 7\n");
    const auto reloaded = bridge.authority->reload();
    REQUIRE_FALSE(reloaded.has_value());
    CHECK(reloaded.error().message == bridge.settings.tokens_file.string() + ":1:9: tokens must be a list");
  }
  SUBCASE("unreadable: that is not the same as absent") {
    std::filesystem::remove(bridge.settings.tokens_file);
    std::filesystem::create_symlink(bridge.settings.tokens_file, bridge.settings.tokens_file);
    const auto reloaded = bridge.authority->reload();
    REQUIRE_FALSE(reloaded.has_value());
    CHECK(reloaded.error().message.find("cannot read " + bridge.settings.tokens_file.string()) == 0);
  }
  CHECK(bridge.who("secret-a") == "alice");
}

TEST_CASE("a bridge does not start with a broken token file") {
  AuthorityFixture bridge;
  bridge.scratch.write("tokens.yaml", "tokens:\n  - {name: a, sha256: b}\n");
  const auto made = Authority::make(bridge.settings);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message ==
        bridge.settings.tokens_file.string() + ":2:23: sha256 must be 64 lower-case hex digits");
}

TEST_CASE("the first start makes a token with all scopes and shows it once") {
  AuthorityFixture bridge;
  bridge.start();
  const auto first = bridge.authority->make_first_token(kNow);
  REQUIRE(first.has_value());
  REQUIRE(first->has_value());
  CHECK(bridge.who(**first) == "first-start");
  CHECK(bridge.scratch.mode("tokens.yaml") == 0600);
  CHECK(bridge.scratch.read("tokens.yaml").find(**first) == std::string::npos);
  const auto identity = bridge.authority->authenticate(**first, kNow);
  CHECK((*identity)->rights.admin);
  CHECK((*identity)->rights.may_read_all(*Pattern::parse("$sys.>")));
  CHECK((*identity)->rights.publish.size() == 1);
  CHECK((*identity)->rights.command.size() == 1);

  SUBCASE("only the first") {
    CHECK_FALSE(bridge.authority->make_first_token(kNow)->has_value());
    bridge.start();
    CHECK_FALSE(bridge.authority->make_first_token(kNow)->has_value());
    CHECK(bridge.who(**first) == "first-start");
  }
}

TEST_CASE("no first token is made where one is configured, or none is needed") {
  AuthorityFixture bridge;
  SUBCASE("a static token") { bridge.settings.token = "static-secret"; }
  SUBCASE("no authentication") { bridge.settings.enabled = false; }
  SUBCASE("an empty token file: somebody revoked all") { bridge.save({}); }
  bridge.start();
  CHECK_FALSE(bridge.authority->make_first_token(kNow)->has_value());
}

TEST_CASE("a first token that can't be stored says what to do") {
  AuthorityFixture bridge;
  bridge.settings.tokens_file = "/nowhere/tokens.yaml";
  bridge.start();
  const auto first = bridge.authority->make_first_token(kNow);
  REQUIRE_FALSE(first.has_value());
  CHECK(first.error().message ==
        "cannot write /nowhere/tokens.yaml: No such file or directory (the first start makes a token there; "
        "set auth.tokens_file or auth.token)");
}
