#include "proto/topic.h"

#include <doctest/doctest.h>

#include "tests/unit/proto/allocations.h"

using namespace trestle;

namespace {
const std::string kHash = "~0123456789abcdef0123456789abcdef";

std::string joined(std::string_view type, std::string_view key) {
  Reject why = Reject::overload;
  const std::string topic = join_topic(type, key, why);
  return why == Reject::none ? topic : std::string(name_of(why)) + "!" + topic;
}
}  // namespace

TEST_CASE("topics are segments of letters, digits, _ and -, joined by dots") {
  for (const char* good : {"a", "task-finished", "A.b_C.0-9", "a.b.c.d.e", "-", "_"}) {
    CAPTURE(good);
    CHECK(is_topic(good));
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a/b", "a*", "*", ">", "a.>", "$sys.health",
                          "a.$b", "é", "a\n", "a,b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_topic(bad));
  }
  CHECK_FALSE(is_topic(std::string_view("a\0b", 3)));
}

TEST_CASE("topics have at most 255 bytes") {
  CHECK(is_topic(std::string(255, 'a')));
  CHECK_FALSE(is_topic(std::string(256, 'a')));
}

TEST_CASE("other bytes are escaped in one way only") {
  CHECK(is_topic("a%20b"));
  CHECK(is_topic("%00.%FF"));
  CHECK(is_topic("a.b%2Ec"));         // a dot within a key
  CHECK(is_topic("a.%7E"));           // a key "~"
  CHECK_FALSE(is_topic("a%2Eb"));     // a type's dot separates
  CHECK_FALSE(is_topic("a.%41"));     // A needs no escape
  CHECK_FALSE(is_topic("a.%5f%2d"));  // nor do _ and -
  CHECK_FALSE(is_topic("a.%5F"));
  CHECK_FALSE(is_topic("a.%2D"));
  CHECK_FALSE(is_topic("a.%c3"));  // lower case
  CHECK_FALSE(is_topic("a.%C"));
  CHECK_FALSE(is_topic("a.%"));
  CHECK_FALSE(is_topic("a.%.b"));
  CHECK_FALSE(is_topic("a.%G0"));
}

TEST_CASE("a hashed key is the last segment and not the first") {
  CHECK(is_topic("a." + kHash));
  CHECK_FALSE(is_topic(kHash));
  CHECK_FALSE(is_topic("a." + kHash + ".b"));
  CHECK_FALSE(is_topic("a." + kHash + "0"));
  CHECK_FALSE(is_topic("a." + kHash.substr(0, 32)));
  CHECK_FALSE(is_topic("a.~0123456789ABCDEF0123456789ABCDEF"));
  CHECK_FALSE(is_topic("a.b~"));
  CHECK_FALSE(is_topic("a.~"));
}

TEST_CASE("system topics start with $") {
  CHECK(is_system_topic("$sys.health"));
  CHECK_FALSE(is_system_topic("sys.$health"));
  CHECK_FALSE(is_system_topic(""));
}

TEST_CASE("producer ids") {
  CHECK(is_producer_id("a"));
  CHECK(is_producer_id("Compressor_1-x"));
  CHECK(is_producer_id(std::string(64, 'z')));
  CHECK_FALSE(is_producer_id(std::string(65, 'z')));
  for (const char* bad : {"", "a.b", "a b", "%41", "$a", "é"}) CHECK_FALSE(is_producer_id(bad));
}

TEST_CASE("a type keeps its dots and escapes everything else") {
  CHECK(escape_type("task-finished") == "task-finished");
  CHECK(escape_type("a.b.c") == "a.b.c");
  CHECK(escape_type("a b/é") == "a%20b%2F%C3%A9");
  CHECK(escape_type("~x") == "%7Ex");
  CHECK(escape_type("100%") == "100%25");
  CHECK(escape_type(std::string_view("a\0", 2)) == "a%00");
}

TEST_CASE("a type that can't be a topic has none") {
  for (const char* bad : {"", ".", ".a", "a.", "a..b"}) CHECK(escape_type(bad).empty());
  CHECK(escape_type(std::string(255, 'a')).size() == 255);
  CHECK(escape_type(std::string(256, 'a')).empty());
  CHECK(escape_type(std::string(85, ' ')).size() == 255);
  CHECK(escape_type(std::string(86, ' ')).empty());
  CHECK(escape_type(std::string(1000000, ' ')).empty());
}

TEST_CASE("a key is one segment") {
  CHECK(escape_key("").empty());
  CHECK(escape_key("task_7-a") == "task_7-a");
  CHECK(escape_key("a.b") == "a%2Eb");
  CHECK(escape_key("45.67") == "45%2E67");
  CHECK(escape_key("~") == "%7E");
  CHECK(escape_key("$") == "%24");
}

TEST_CASE("a key over 128 bytes once escaped is hashed") {
  CHECK(escape_key(std::string(128, 'a')) == std::string(128, 'a'));
  // printf a%.0s {1..129} | sha256sum
  CHECK(escape_key(std::string(129, 'a')) == "~c12cb024a2e5551cca0e08fce8f1c5e3");
  CHECK(escape_key(std::string(42, ' ')).size() == 126);
  CHECK(escape_key(std::string(43, ' ')).front() == '~');
  CHECK(escape_key(std::string(43, ' ')).size() == 33);
  CHECK(escape_key(std::string(43, ' ')) != escape_key(std::string(44, ' ')));
  CHECK(is_topic("t." + escape_key(std::string(1000000, '.'))));
}

TEST_CASE("whatever the type and the key, what comes out is canonical") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    CAPTURE(byte);
    CHECK(is_topic("t." + escape_key(one)));
    CHECK(is_topic("t." + escape_key(one + one + "x")));
    const std::string type = escape_type("a" + one + "b");
    CHECK(is_topic(type));
    CHECK(escape_type(one + "." + one).empty() == (one == "."));
  }
}

TEST_CASE("a topic starts with a type by whole segments") {
  CHECK(topic_starts_with("task", "task"));
  CHECK(topic_starts_with("task.7", "task"));
  CHECK(topic_starts_with("task.a.b", "task.a"));
  CHECK_FALSE(topic_starts_with("tasks", "task"));
  CHECK_FALSE(topic_starts_with("task-7", "task"));
  CHECK_FALSE(topic_starts_with("tas", "task"));
  CHECK_FALSE(topic_starts_with("", "task"));
}

TEST_CASE("type and key make the topic") {
  CHECK(joined("task", "") == "task");
  CHECK(joined("task", "a.b") == "task.a%2Eb");
  CHECK(joined(std::string(250, 'a'), "key4") == std::string(250, 'a') + ".key4");
  CHECK(joined(std::string(251, 'a'), "key4") == "bad_topic!");
  CHECK(joined(std::string(251, 'a'), "") == std::string(251, 'a'));
}

TEST_CASE("types of Trestle's own notices and $ types are reserved") {
  for (const char* type : {"welcome", "live", "gap", "cursor", "drain", "$sys.health", "$", "$anything"}) {
    CHECK(is_reserved_type(type));
  }
  for (const char* type : {"", "Welcome", "welcome.x", "lives", "task", "sys", "a$"})
    CHECK_FALSE(is_reserved_type(type));
}

TEST_CASE("checking a topic allocates nothing") {
  const std::string topic = "command-progress.0b6f%2E3c1e." + kHash;
  const std::size_t before = allocations();
  const bool good = is_topic(topic) && topic_starts_with(topic, "command-progress") && is_producer_id("me");
  CHECK(allocations() == before);
  CHECK(good);
}
