#include "bridge/core/intake.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {

Policy own(const std::string& match, const std::string& key) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.key = key;
  return made;
}

class IntakeFixture {
 public:
  explicit IntakeFixture(std::vector<Policy> policies = {})
      : policies_(std::move(policies)), intake_(policies_, EventLimits{200, 64}) {}

  /// The topic it was given, or why it was refused.
  std::string topic(const std::string& payload, const std::string& given = {}) {
    Published message;
    message.topic = given;
    message.payload = payload;
    const auto why = intake_.check(message, 1'000, event);
    return why == Reject::none ? event.topic : "refused: " + std::string(name_of(why));
  }
  Reject check(const Published& message) { return intake_.check(message, 1'000, event); }
  std::string policy() const { return event.policy->match.text(); }

  Event event;

 private:
  PolicyTable policies_;
  Intake intake_;
};

}  // namespace

TEST_CASE("the bridge completes a topic from the type and the policy's key") {
  IntakeFixture intake;
  CHECK(intake.topic(R"({"type":"command-progress","id":7})") == "command-progress.7");
  CHECK(intake.topic(R"({"type":"command-progress","id":"a.b c"})") == "command-progress.a%2Eb%20c");
  CHECK(intake.topic(R"({"type":"task-finished","taskConfig":{"id":42}})") == "task-finished.42");
  CHECK(intake.topic(R"({"type":"queue-update"})") == "queue-update");
  CHECK(intake.topic(R"({"type":"anything.else"})") == "anything.else");
  CHECK(intake.topic(R"({"type":"two words"})") == "two%20words");

  SUBCASE("whether the topic is empty or just the type") {
    CHECK(intake.topic(R"({"type":"command-progress","id":7})", "command-progress") == "command-progress.7");
    CHECK(intake.topic(R"({"type":"two words"})", "two words") == "two%20words");
    CHECK(intake.topic(R"({"type":"two words"})", "two%20words") == "two%20words");
  }
  SUBCASE("with no key in the event it is the bare type, under the same policy") {
    CHECK(intake.topic(R"({"type":"command-progress"})") == "command-progress");
    CHECK(intake.policy() == "command-progress.*");
    CHECK(intake.topic(R"({"type":"command-progress","id":""})") == "command-progress");
    CHECK(intake.topic(R"({"type":"command-progress","id":{"a":1}})") == "command-progress");
    CHECK(intake.topic(R"({"type":"task-finished","taskConfig":"none"})") == "task-finished");
  }
  SUBCASE("a key that occurs twice is refused: parsers differ on which one counts") {
    CHECK(intake.topic(R"({"type":"command-progress","id":1,"id":2})") == "refused: duplicate_member");
    CHECK(intake.topic(R"({"type":"task-finished","taskConfig":{"id":1},"taskConfig":{"id":2}})") ==
          "refused: duplicate_member");
    CHECK(intake.topic(R"({"type":"command-progress","id":1,"id":2})", "command-progress.1") ==
          "refused: duplicate_member");
    CHECK(intake.topic(R"({"type":"queue-update","id":1,"id":2})") == "queue-update");
  }
}

TEST_CASE("your own policies come first") {
  IntakeFixture intake({own("command-progress.*", "/step"), own("build.linux.*", "/n")});
  CHECK(intake.topic(R"({"type":"command-progress","id":7,"step":"UPLOAD"})") == "command-progress.UPLOAD");
  CHECK(intake.topic(R"({"type":"build.linux","n":3})") == "build.linux.3");
  CHECK(intake.topic(R"({"type":"build","n":3})") == "build");
}

TEST_CASE("a given topic stands if it starts with the event's type") {
  IntakeFixture intake;
  CHECK(intake.topic(R"({"type":"command-progress","id":7})", "command-progress.8") == "command-progress.8");
  CHECK(intake.topic(R"({"type":"a.b"})", "a.b.c.d") == "a.b.c.d");
  CHECK(intake.topic(R"({"type":"a"})", "b") == "refused: topic_mismatch");
  CHECK(intake.topic(R"({"type":"a.b"})", "a") == "refused: topic_mismatch");
  CHECK(intake.topic(R"({"type":"a"})", "ab.c") == "refused: topic_mismatch");
  CHECK(intake.topic(R"({"type":"a"})", "a.") == "refused: bad_topic");
  CHECK(intake.topic(R"({"type":"a"})", "a.b c") == "refused: bad_topic");
  CHECK(intake.topic(R"({"type":"a"})", "a.%41") == "refused: bad_topic");
  CHECK(intake.topic(R"({"type":"a"})", "a." + std::string(254, 'x')) == "refused: bad_topic");
}

TEST_CASE("what is Trestle's own is refused") {
  IntakeFixture intake;
  CHECK(intake.topic(R"({"type":"a"})", "$sys.producer.p1") == "refused: reserved");
  CHECK(intake.topic(R"({"type":"$sys.rejected"})") == "refused: reserved");
  for (const auto* type : {"welcome", "live", "gap", "cursor", "drain"}) {
    CHECK(intake.topic(R"({"type":")" + std::string(type) + "\"}") == "refused: reserved");
  }
  CHECK(intake.topic(R"({"type":"welcome.home"})") == "welcome.home");
}

TEST_CASE("a payload that is no event is refused by name") {
  IntakeFixture intake;
  CHECK(intake.topic("") == "refused: not_json");
  CHECK(intake.topic("{\"type\":\"a\"") == "refused: not_json");
  CHECK(intake.topic("[]") == "refused: not_object");
  CHECK(intake.topic("{}") == "refused: no_type");
  CHECK(intake.topic(R"({"type":7})") == "refused: no_type");
  CHECK(intake.topic(R"({"type":"a","type":"a"})") == "refused: duplicate_member");
  CHECK(intake.topic("{\"type\":\"\xff\"}") == "refused: invalid_utf8");
  CHECK(intake.topic(R"({"type":"a","x":)" + std::string(64, '[') + std::string(64, ']') + "}") ==
        "refused: too_deep");
  CHECK(intake.topic(R"({"type":"a","x":")" + std::string(200, 'x') + "\"}") == "refused: too_big");
  CHECK(intake.topic(R"({"type":""})") == "refused: bad_topic");
  CHECK(intake.topic(R"({"type":"a..b"})") == "refused: bad_topic");
  CHECK(intake.topic(R"({"type":".a"})") == "refused: bad_topic");
}

TEST_CASE("an event keeps the producer's bytes and the producer's time") {
  IntakeFixture intake;
  const std::string payload = " { \"type\" : \"queue-update\" }\n";
  Published message;
  message.payload = payload;
  SUBCASE("a plain one is as old as its arrival") {
    CHECK(intake.check(message) == Reject::none);
    CHECK(intake.event.time == 1'000);
  }
  SUBCASE("a sequenced one carries its stamp's time") {
    message.stamp = Stamp{1, 2, 333};
    CHECK(intake.check(message) == Reject::none);
    CHECK(intake.event.time == 333);
  }
  CHECK(intake.event.payload == payload);
  CHECK(intake.policy() == "queue-update");
}

TEST_CASE("more types and topics than the caches hold are told apart all the same") {
  IntakeFixture intake;
  for (std::size_t i = 0; i <= Intake::kMaxCached; ++i) {
    const auto type = "t" + std::to_string(i);
    REQUIRE(intake.topic(R"({"type":")" + type + "\"}") == type);
  }
  CHECK(intake.topic(R"({"type":"command-progress","id":7})") == "command-progress.7");
  CHECK(intake.policy() == "command-progress.*");
  CHECK(intake.topic(R"({"type":"t0"})") == "t0");
  CHECK(intake.policy() == ">");
}

TEST_CASE("a redacted member that is there twice is refused, under the policy that redacts it") {
  auto secret = own("job.*", "");
  secret.redact.members = {"/env/*/key", "/password"};
  IntakeFixture intake({secret});
  CHECK(intake.topic(R"({"type":"job","password":1,"env":{"a":{"key":1},"b":{"key":1}}})") == "job");
  CHECK(intake.topic(R"({"type":"job","password":1,"pass\u0077ord":2})") == "refused: duplicate_member");
  CHECK(intake.topic(R"({"type":"job","env":{"a":1},"env":{"a":2}})") == "refused: duplicate_member");
  CHECK(intake.topic(R"({"type":"job","env":{"a":{"key":1,"key":2}}})") == "refused: duplicate_member");
  CHECK(intake.topic(R"({"type":"job","n":1,"n":2})") == "job");
  CHECK(intake.topic(R"({"type":"other","password":1,"password":2})") == "other");
}
