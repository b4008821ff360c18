#include "bridge/core/rights.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

Rights rights(const std::vector<std::string>& scopes) { return parse_scopes(scopes).value(); }
bool may_read_all(const Rights& given, const std::string& pattern) {
  return given.may_read_all(*Pattern::parse(pattern));
}
std::string readable(const Rights& given) {
  std::string text;
  for (const auto& pattern : given.readable()) text += (text.empty() ? "" : " ") + pattern.text();
  return text;
}
std::string refusal(const std::string& scope) {
  const auto parsed = parse_scopes({"read", scope});
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
