#include "bridge/core/rights.h"

#include <doctest/doctest.h>

#include "proto/topic.h"

using namespace trestle;

namespace {

Rights rights(const std::vector<std::string>& scopes) { return parse_scopes(scopes, "alice").value(); }
bool may_read_all(const Rights& given, const std::string& pattern) {
  return given.may_read_all(*Pattern::parse(pattern));
}
std::string readable(const Rights& given) {
  std::string text;
  for (const auto& pattern : given.readable()) text += (text.empty() ? "" : " ") + pattern.text();
  return text;
}
std::string refusal(const std::string& scope) {
  const auto parsed = parse_scopes({"read", scope}, "alice");
  return parsed ? "none" : parsed.error().message;
}

}  // namespace

TEST_CASE("a scope without a pattern means everything but the bridge's own") {
  const auto reader = rights({"read"});
  CHECK(reader.may_read("task.1"));
  CHECK_FALSE(reader.may_read("$sys.health"));
  CHECK(may_read_all(reader, ">"));
  CHECK_FALSE(may_read_all(reader, "$sys.>"));
  CHECK(reader.publish.empty());
  CHECK(reader.command.empty());
  CHECK_FALSE(reader.admin);
}

TEST_CASE("a scope with a pattern goes as far as the pattern") {
  const auto given = rights({"read:task.*", "publish:a.>", "command:b"});
  CHECK(given.may_read("task.1"));
  CHECK_FALSE(given.may_read("task.1.2"));
  CHECK_FALSE(given.may_read("task"));
  CHECK(may_read_all(given, "task.7"));
  CHECK_FALSE(may_read_all(given, "task.>"));
  CHECK_FALSE(may_read_all(given, ">"));
  CHECK(given.publish.front().text() == "a.>");
  CHECK(given.command.front().text() == "b");
  CHECK(readable(given) == "task.*");
}

TEST_CASE("$sys needs admin, or a scope that says so") {
  const auto admin = rights({"admin"});
  CHECK(admin.may_read("$sys.health"));
  CHECK(may_read_all(admin, "$sys.>"));
  CHECK_FALSE(admin.may_read("task.1"));
  const auto watcher = rights({"read:$sys.producer.*"});
  CHECK(watcher.may_read("$sys.producer.p1"));
  CHECK_FALSE(watcher.may_read("$sys.health"));
  CHECK_FALSE(may_read_all(watcher, "$sys.>"));
}

TEST_CASE("a client that names no topics gets no $sys, whatever it may read") {
  CHECK(readable(rights({"read", "read:$sys.>", "admin"})) == ">");
  CHECK(readable(rights({"admin"})) == "");
}

TEST_CASE("without authentication a client may read, nothing else") {
  const auto reader = Rights::reader();
  CHECK(reader.may_read("task.1"));
  CHECK_FALSE(reader.may_read("$sys.health"));
  CHECK(reader.publish.empty());
  CHECK(reader.command.empty());
  CHECK_FALSE(reader.admin);
}

TEST_CASE("what policies redact is seen with the scope of that name, with see, or as admin") {
  const auto given = rights({"read", "see:secrets", "see:out-puts_2"});
  CHECK(given.may_see("secrets"));
  CHECK(given.may_see("out-puts_2"));
  CHECK_FALSE(given.may_see("secret"));
  CHECK_FALSE(given.may_see("Secrets"));
  CHECK_FALSE(given.may_see(""));
  for (const auto* scope : {"see", "admin"}) {
    CHECK(rights({scope}).may_see("secrets"));
    CHECK(rights({scope}).may_see(""));
  }
  CHECK_FALSE(rights({"read", "publish", "command"}).may_see("secrets"));
  CHECK_FALSE(Rights::reader().may_see("secrets"));
  CHECK(readable(rights({"see", "see:secrets"})) == "");
}

TEST_CASE("no scopes grant nothing") {
  CHECK_FALSE(rights({}).may_read("a"));
  CHECK(readable(rights({})) == "");
}

TEST_CASE("a scope that is none is named") {
  CHECK(refusal("reed") ==
        "unknown scope \"reed\" (admin, read, publish, command or see; read:task.> names a pattern, "
        "see:secrets what policies redact unless: secrets)");
  CHECK(refusal("admin:x").find("unknown scope \"admin:x\"") == 0);
  CHECK(refusal("see:") == "scope \"see:\": a name is 1 to 64 letters, digits, - and _, such as see:secrets");
  CHECK(refusal("see:a.b").find("scope \"see:a.b\": a name is") == 0);
  CHECK(refusal("see:" + std::string(65, 'x')).find("scope") == 0);
  CHECK(refusal("seen").find("unknown scope \"seen\"") == 0);
  CHECK(refusal("Read").find("unknown scope \"Read\"") == 0);
  CHECK(refusal("").find("unknown scope \"\"") == 0);
  CHECK(refusal("read:").find("scope \"read:\": a pattern is empty") == 0);
  CHECK(refusal("read:a..b").find("scope \"read:a..b\": \"a..b\": segment 2 is empty") == 0);
}

namespace {

/// The read patterns that a template comes down to for a subject, joined by blanks.
std::string filled(const std::string& scope, const std::string& sub) {
  return readable(parse_scopes({scope}, sub).value());
}

}  // namespace

TEST_CASE("{sub} is the token's own segment") {
  CHECK(filled("read:task.{sub}.>", "42") == "task.42.>");
  CHECK(filled("read:{sub}", "alice") == "alice");
  CHECK(filled("read:a.{sub}.b.{sub}", "x") == "a.x.b.x");
  const auto all = parse_scopes({"publish:p.{sub}", "command:c.{sub}.*"}, "7").value();
  CHECK(all.publish.front().text() == "p.7");
  CHECK(all.command.front().text() == "c.7.*");
}

TEST_CASE("a hostile subject reaches nothing beyond its own segment") {
  const std::string hostile[] = {"*",
                                 ">",
                                 "a.b",
                                 "..",
                                 ".",
                                 "$sys",
                                 "%2A",
                                 "~0",
                                 "a,b",
                                 " ",
                                 "{sub}",
                                 "x\ny",
                                 "42.>",
                                 "a\"b",
                                 std::string(1, '\0'),
                                 "\xff\xfe",
                                 "\xc0\xae",
                                 std::string(10'240, 'x'),
                                 std::string(10'240, '.'),
                                 std::string(100, '*'),
                                 "read:>",
                                 "ü"};
  for (const auto& sub : hostile) {
    CAPTURE(sub);
    const auto given = parse_scopes({"read:task.{sub}.>"}, sub).value();
    CHECK_FALSE(may_read_all(given, "task.>"));
    CHECK_FALSE(may_read_all(given, "task.*.>"));
    CHECK_FALSE(given.may_read("task.42.x"));
    CHECK_FALSE(given.may_read("task.a.b"));
    CHECK_FALSE(given.may_read("$sys.health"));
    for (const auto& pattern : given.read) CHECK(pattern.text().find('*') == std::string::npos);
    // As the last segment it is what a key of that text becomes.
    const auto own = parse_scopes({"read:task.{sub}"}, sub).value();
    REQUIRE(own.read.size() == 1);
    CHECK(own.read[0].text() == "task." + escape_key(sub));
    CHECK_FALSE(parse_scopes({"read:{sub}.>"}, sub).value().may_read("$sys.health"));
    CHECK_FALSE(parse_scopes({"read:{sub}"}, sub).value().may_read("task"));
  }
}

TEST_CASE("an empty subject is granted nothing by a template, and what it has without stays") {
  const auto given = parse_scopes({"read:task.{sub}.>", "read:news"}, "").value();
  CHECK(readable(given) == "news");
}

TEST_CASE("{sub} stands for a whole segment or the scope is none") {
  CHECK(refusal("read:task.user-{sub}.>").find("({sub} must be a whole segment: task.{sub}.>)") !=
        std::string::npos);
  CHECK(refusal("read:task.{SUB}").find("scope \"read:task.{SUB}\"") == 0);
  CHECK(refusal("read:{sub}..x").find("segment 2 is empty") != std::string::npos);
}

TEST_CASE("an issuer's scopes for others are passed over") {
  const auto given =
      known_scopes({"openid", "profile", "read:a", "read:a..b", "admin:x", "", "publish:{sub}"}, "bob");
  CHECK(readable(given) == "a");
  CHECK(given.publish.size() == 1);
  CHECK_FALSE(given.admin);
}
