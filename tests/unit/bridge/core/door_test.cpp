#include "bridge/core/door.h"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace trestle;

namespace {

Rights rights(const std::vector<std::string>& scopes) { return parse_scopes(scopes, "alice").value(); }
const Pattern kTask = *Pattern::parse("task.*");

}  // namespace

TEST_CASE("every door has a name of its own, the one in the header that other tests read") {
  std::ostringstream header;
  header << std::ifstream(TRESTLE_SOURCE_DIR "/bridge/core/door.h").rdbuf();
  std::set<std::string_view> names;
  for (const auto door : kDoors) {
    CHECK(names.insert(name_of(door)).second);
    CHECK(header.str().find("\n  " + std::string(name_of(door)) + ",") != std::string::npos);
  }
  CHECK(names.size() == kDoors.size());
}

TEST_CASE("doors about topics open for who may read all of them") {
  for (const auto door : {Door::connect, Door::subscribe, Door::renew, Door::snapshot, Door::replay}) {
    CAPTURE(name_of(door));
    CHECK(may_pass(door, rights({"read"}), kTask));
    CHECK(may_pass(door, rights({"read:task.>"}), kTask));
    CHECK_FALSE(may_pass(door, rights({"read:task.1"}), kTask));
    CHECK_FALSE(may_pass(door, rights({"admin", "publish", "command"}), kTask));
    CHECK_FALSE(may_pass(door, rights({}), kTask));
    CHECK(may_pass(door, rights({"admin"}), *Pattern::parse("$sys.>")));
    CHECK_FALSE(may_pass(door, rights({"read"})));  // without a topic there is nothing to decide
  }
}

TEST_CASE("the bridge's status is for readers and admins, a session's own for everybody") {
  for (const auto* scope : {"admin", "read", "read:a"}) CHECK(may_pass(Door::status, rights({scope})));
  for (const auto* scope : {"publish", "command"}) CHECK_FALSE(may_pass(Door::status, rights({scope})));
  CHECK(may_pass(Door::session, rights({})));
  CHECK_FALSE(may_pass(Door::status, rights({}), kTask));
}

TEST_CASE(
    "the status tells of a topic what a reader of it may know, and of the bridge's own what an admin may") {
  const auto system = *Pattern::parse("$sys.>");
  CHECK(may_pass(Door::status, rights({"read:task.*"}), kTask));
  CHECK(may_pass(Door::status, rights({"read:task.*"}), "task.1"));
  CHECK_FALSE(may_pass(Door::status, rights({"read:task.*"}), "$sys.producer.a"));
  CHECK(may_pass(Door::status, rights({"admin"}), "$sys.producer.a"));
  CHECK_FALSE(may_pass(Door::status, rights({"admin"}), "task.1"));
  CHECK_FALSE(may_pass(Door::status, rights({"read:other"}), kTask));
  CHECK_FALSE(may_pass(Door::status, rights({"read"}), system));
  for (const auto* scope : {"admin", "read:$sys.>"}) CHECK(may_pass(Door::status, rights({scope}), system));
}
