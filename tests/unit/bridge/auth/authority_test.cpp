#include "bridge/auth/authority.h"
#include "bridge/auth/authority_watch.h"

#include <doctest/doctest.h>

#include "bridge/auth/jwt.h"
#include "bridge/auth/token_file.h"
#include "bridge/auth/tokens.h"
#include "tests/unit/bridge/auth/jwt_signer.h"
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
  SUBCASE("open to others") {
    bridge.save({token("mallory", "secret-m")});
    bridge.scratch.set_mode("tokens.yaml", 0666);
    const auto reloaded = bridge.authority->reload();
    REQUIRE_FALSE(reloaded.has_value());
    CHECK(reloaded.error().message.find(bridge.settings.tokens_file.string() +
                                        " is a secret that others can read and change (mode 0666)") == 0);
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

namespace {

/// A bridge with one HS256 key, and tokens of it.
class JwtFixture : public AuthorityFixture {
 public:
  JwtFixture() {
    settings.revoked_file = scratch.file("revoked.yaml");
    write_key(kSecret);
    settings.jwt.keys = {{"k1", JwtAlgorithm::hs256, scratch.file("key"), "t.yaml:1:1: "}};
  }
  void write_key(const std::string& secret) {
    scratch.write("key", secret);
    std::filesystem::permissions(scratch.file("key"),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  static std::string jwt(const std::string& more = {}) {
    return JwtSigner::hmac_token(JwtAlgorithm::hs256, kSecret,
                                 R"({"sub":"carol","scope":"read","exp":1764000060)" + more + "}");
  }
  IdentityPtr identity(const std::string& token) const {
    return authority->authenticate(token, kNow).value();
  }
  /// Who a session is after reading everything again.
  std::string after(const IdentityPtr& held) {
    REQUIRE(authority->reload().has_value());
    const auto renewed = authority->renew(held);
    return renewed ? (*renewed)->name : std::string(reason_of(renewed.error()));
  }
  static const std::string kSecret;
};
const std::string JwtFixture::kSecret = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE("static tokens and JWTs stand side by side") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a"), token("dots", "a.b.c")});
  bridge.start();
  CHECK(bridge.who("secret-a") == "alice");
  CHECK(bridge.who("a.b.c") == "dots");
  CHECK(bridge.who(JwtFixture::jwt()) == "carol");
  CHECK(bridge.who(JwtFixture::jwt(), kNow + 60'000'000 + 30'000'000) == "expired");
  CHECK(bridge.who("a.b.d") == "unknown");
  CHECK(bridge.who(std::string(kMaxJwt + 1, 'x')) == "unknown");
  CHECK_FALSE(bridge.authority->make_first_token(kNow)->has_value());
  using Files = std::vector<std::filesystem::path>;
  CHECK(files_of(bridge.settings, AuthPart::tokens) == Files{bridge.settings.tokens_file});
  CHECK(files_of(bridge.settings, AuthPart::keys) == Files{bridge.scratch.file("key")});
  CHECK(files_of(bridge.settings, AuthPart::revoked) == Files{bridge.settings.revoked_file});
}

TEST_CASE("what is read while somebody changes it: a fault is no trouble, and nothing good is lost by it") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a"), token("bob", "secret-b")});
  bridge.scratch.write("revoked.yaml", "jti: [7]\nissued_before: {dora: 2027-01-01T00:00:00Z}");
  bridge.start();
  const auto carol = bridge.identity(JwtFixture::jwt());
  const auto fault = [&](AuthPart part) {
    const auto read = bridge.authority->reload_unsettled(part);
    return read ? "none" : read.error().message;
  };
  const auto says = [](const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
  };
  bridge.scratch.write("tokens.yaml", "");
  CHECK(says(fault(AuthPart::tokens), "tokens.yaml is empty while it is being changed"));
  bridge.scratch.write("tokens.yaml", "tokens:\n  - name: al");
  CHECK(says(fault(AuthPart::tokens), "tokens.yaml:2:"));
  std::filesystem::remove(bridge.settings.tokens_file);
  CHECK(says(fault(AuthPart::tokens), "No such file"));
  bridge.write_key("short");
  CHECK(says(fault(AuthPart::keys), "holds a secret of 5 bytes"));
  std::filesystem::remove(bridge.settings.revoked_file);
  CHECK(says(fault(AuthPart::revoked), "revoked.yaml is gone while it is being changed"));
  CHECK(bridge.authority->status().trouble.empty());
  CHECK(bridge.who("secret-a") == "alice");
  CHECK(bridge.authority->renew(carol).has_value());

  bridge.save({token("bob", "secret-b")});  // and what is whole counts at once
  CHECK(fault(AuthPart::tokens) == "none");
  CHECK(bridge.who("secret-a") == "unknown");
  CHECK(bridge.who("secret-b") == "bob");
  bridge.scratch.write("revoked.yaml", "jti: [8]\nissued_before: {dora: 2026-01-01T00:00:00Z}");
  CHECK(fault(AuthPart::revoked) == "none");
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"8")")) == "unknown");
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "unknown");  // what was revoked stays so
  CHECK(bridge.authority->status().revoked == 3);
  CHECK(bridge.authority->reload(AuthPart::revoked).has_value());  // until the file keeps still
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "carol");
}

TEST_CASE("what is good while somebody changes it ends the trouble of before") {
  AuthorityFixture bridge;
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  bridge.scratch.write("tokens.yaml", "tokens: 7");
  CHECK_FALSE(bridge.authority->reload(AuthPart::tokens).has_value());
  CHECK_FALSE(bridge.authority->status().trouble.empty());
  CHECK_FALSE(bridge.authority->reload_unsettled(AuthPart::tokens).has_value());
  CHECK_FALSE(bridge.authority->status().trouble.empty());
  bridge.save({token("bob", "secret-b")});
  CHECK(bridge.authority->reload_unsettled(AuthPart::tokens).has_value());
  CHECK(bridge.authority->status().trouble.empty());
}

TEST_CASE("a file that keeps changing does not put off what others say") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a")});
  bridge.scratch.write("revoked.yaml", "");
  AuthorityWatch watch(bridge.settings);
  bridge.start();
  FileWatch::Time now{};
  const char* line_ends[] = {"", "\n", "\r\n"};  // of a secret that stays what it is
  std::size_t changes = 0;
  const auto look = [&] {
    bridge.write_key(JwtFixture::kSecret + line_ends[++changes % 3]);
    watch.look(*bridge.authority, now += FileWatch::kPatience / 2);
  };
  look();
  bridge.scratch.write("revoked.yaml", "jti: [7]");
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "carol");
  look();
  look();
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "unknown");
  CHECK(bridge.who(JwtFixture::jwt()) == "carol");
  bridge.save({token("bob", "secret-b")});
  look();
  look();
  CHECK(bridge.who("secret-a") == "unknown");
  CHECK(bridge.who("secret-b") == "bob");
}

TEST_CASE("a file token's session follows the file: scopes, expiry, end") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a"), token("bob", "secret-b")});
  bridge.start();
  const auto alice = bridge.identity("secret-a");
  const auto generation = bridge.authority->generation();
  CHECK(bridge.after(alice) == "alice");
  CHECK(bridge.authority->generation() != generation);
  auto changed = token("alice", "secret-a", kNow + 5'000'000);
  changed.scopes = {"read:a"};
  bridge.save({changed});
  CHECK(bridge.after(alice) == "alice");
  const auto renewed = bridge.authority->renew(alice).value();
  CHECK_FALSE(renewed->rights.may_read("b"));
  CHECK(renewed->expires == kNow + 5'000'000);
  bridge.save({token("alice", "another-secret")});  // the name alone is nothing
  CHECK(bridge.after(alice) == "it is revoked");
  CHECK(bridge.after(bridge.authority->anonymous()) == "anonymous");
}

TEST_CASE("JWTs are revoked by id, by time, and with their key") {
  JwtFixture bridge;
  bridge.start();
  const auto token = JwtFixture::jwt(R"(,"jti":"7","iat":1763999990)");
  const auto carol = bridge.identity(token);
  CHECK(bridge.after(carol) == "carol");
  SUBCASE("by id") { bridge.scratch.write("revoked.yaml", "jti: [7]"); }
  SUBCASE("by time") { bridge.scratch.write("revoked.yaml", "issued_before: {carol: 2025-11-24T15:59:51Z}"); }
  SUBCASE("everybody's") {
    bridge.scratch.write("revoked.yaml", "issued_before: {\"*\": 2025-11-24T16:00:00Z}");
  }
  SUBCASE("the key is another now") { bridge.write_key("fedcba9876543210fedcba9876543210"); }
  CHECK(bridge.after(carol) == "it is revoked");
  CHECK(bridge.who(token) == "unknown");
}

TEST_CASE("a JWT that was not meant goes on") {
  JwtFixture bridge;
  bridge.start();
  const auto carol = bridge.identity(JwtFixture::jwt(R"(,"jti":"8","iat":1763999990)"));
  bridge.scratch.write("revoked.yaml",
                       "jti: [7]\nissued_before: {carol: 2025-11-24T15:59:50Z, bob: 2026-01-01T00:00:00Z}");
  CHECK(bridge.after(carol) == "carol");
}

TEST_CASE("a file that is broken when read again keeps what was read from it") {
  JwtFixture bridge;
  bridge.scratch.write("revoked.yaml", "jti: [7]");
  bridge.start();
  const auto carol = bridge.identity(JwtFixture::jwt());
  SUBCASE("the key's") { bridge.write_key("short"); }
  SUBCASE("no key") { std::filesystem::remove(bridge.scratch.file("key")); }
  SUBCASE("the revoked tokens'") { bridge.scratch.write("revoked.yaml", "jti: 7"); }
  CHECK_FALSE(bridge.authority->reload().has_value());
  CHECK(bridge.authority->renew(carol).has_value());
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "unknown");
  CHECK(bridge.authority->status().revoked == 1);
}

TEST_CASE("a fault in one file keeps nothing of the others from counting, and is told until it is mended") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a"), token("bob", "secret-b")});
  bridge.start();
  CHECK(bridge.authority->status().trouble.empty());
  const auto bad = JwtFixture::jwt(R"(,"jti":"7")");
  const auto carol = bridge.identity(bad);
  const auto alice = bridge.identity("secret-a");
  std::string faulty;
  SUBCASE("tokens: a JWT can be revoked") {
    bridge.scratch.set_mode("tokens.yaml", 0644);
    bridge.scratch.write("revoked.yaml", "jti: [7]");
    faulty = bridge.settings.tokens_file.string();
    CHECK_FALSE(bridge.authority->reload().has_value());
    CHECK_FALSE(bridge.authority->renew(carol).has_value());
    CHECK(bridge.authority->renew(alice).has_value());
    bridge.scratch.set_mode("tokens.yaml", 0600);
  }
  SUBCASE("a key: so can a JWT, and a token") {
    bridge.write_key("short");
    bridge.scratch.write("revoked.yaml", "jti: [7]");
    bridge.save({token("bob", "secret-b")});
    faulty = bridge.scratch.file("key").string();
    CHECK_FALSE(bridge.authority->reload().has_value());
    CHECK_FALSE(bridge.authority->renew(carol).has_value());
    CHECK_FALSE(bridge.authority->renew(alice).has_value());
    bridge.write_key(JwtFixture::kSecret);
  }
  SUBCASE("revoked JWTs: a token can be") {
    bridge.scratch.write("revoked.yaml", "jti: 7");
    bridge.save({token("bob", "secret-b")});
    faulty = bridge.settings.revoked_file.string();
    CHECK_FALSE(bridge.authority->reload().has_value());
    CHECK(bridge.authority->renew(carol).has_value());
    CHECK_FALSE(bridge.authority->renew(alice).has_value());
    bridge.scratch.write("revoked.yaml", "jti: [7]");
  }
  CHECK(bridge.authority->status().trouble.find(faulty) != std::string::npos);
  CHECK(bridge.who("secret-b") == "bob");
  CHECK(bridge.authority->reload().has_value());
  CHECK(bridge.authority->status().trouble.empty());
}

TEST_CASE("a file of revoked JWTs that is gone takes nothing back") {
  JwtFixture bridge;
  bridge.scratch.write("revoked.yaml", "jti: [7]");
  bridge.start();
  CHECK_FALSE(bridge.authority->warning());
  std::filesystem::remove(bridge.settings.revoked_file);
  const auto reloaded = bridge.authority->reload();
  REQUIRE_FALSE(reloaded.has_value());
  CHECK(reloaded.error().message.find(bridge.settings.revoked_file.string() + " is gone: ") == 0);
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "unknown");
  CHECK_FALSE(bridge.authority->reload().has_value());
  bridge.scratch.write("revoked.yaml", "");  // and that is how somebody says so
  CHECK(bridge.authority->reload().has_value());
  CHECK(bridge.who(JwtFixture::jwt(R"(,"jti":"7")")) == "carol");
}

TEST_CASE("a file of revoked JWTs that was never there is warned of, and no fault") {
  JwtFixture bridge;
  bridge.start();
  REQUIRE(bridge.authority->warning());
  CHECK(bridge.authority->warning()->find("there is no " + bridge.settings.revoked_file.string()) == 0);
  CHECK(bridge.authority->reload().has_value());
  bridge.scratch.write("revoked.yaml", "jti: [7]");
  CHECK(bridge.authority->reload().has_value());
  CHECK_FALSE(bridge.authority->warning());
  CHECK(bridge.authority->status().revoked == 1);
}

TEST_CASE("no warning where no JWT is to be revoked") {
  JwtFixture bridge;
  SUBCASE("no file") { bridge.settings.revoked_file.clear(); }
  SUBCASE("no authentication") { bridge.settings.enabled = false; }
  bridge.start();
  CHECK_FALSE(bridge.authority->warning());
}

TEST_CASE("all faults are told in one line") {
  JwtFixture bridge;
  bridge.save({token("alice", "secret-a")});
  bridge.start();
  bridge.scratch.set_mode("tokens.yaml", 0644);
  bridge.write_key("short");
  bridge.scratch.write("revoked.yaml", "jti: 7");
  const auto reloaded = bridge.authority->reload();
  REQUIRE_FALSE(reloaded.has_value());
  for (const char* file : {"tokens.yaml", "key ", "revoked.yaml"}) {
    CHECK(reloaded.error().message.find(bridge.scratch.file(file).string()) != std::string::npos);
  }
  CHECK(reloaded.error().message.find('\n') == std::string::npos);
  CHECK(bridge.authority->status().trouble == reloaded.error().message);
}
