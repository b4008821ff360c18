#include "proto/pattern.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/proto/allocations.h"
#include "tests/unit/proto/pattern_model.h"

using namespace trestle;

namespace {

Pattern pattern(std::string_view text) {
  auto parsed = Pattern::parse(text);
  if (!parsed) FAIL(parsed.error().message);
  return std::move(*parsed);
}
std::string error(std::string_view text) {
  const auto parsed = Pattern::parse(text);
  return parsed ? "" : parsed.error().message;
}
bool matches(std::string_view text, std::string_view topic) { return pattern(text).matches(topic); }
bool covers(std::string_view text, std::string_view other) { return pattern(text).covers(pattern(other)); }

/// Every text of one to `longest` of the segments, joined by dots.
std::vector<std::string> all_of(const std::vector<std::string>& segments, std::size_t longest) {
  std::vector<std::string> all, last = {""};
  for (std::size_t length = 1; length <= longest; ++length) {
    std::vector<std::string> next;
    for (const auto& head : last) {
      for (const auto& segment : segments) next.push_back(head.empty() ? segment : head + "." + segment);
    }
    all.insert(all.end(), next.begin(), next.end());
    last = std::move(next);
  }
  return all;
}

std::vector<Pattern> all_patterns(const std::vector<std::string>& segments, std::size_t longest) {
  std::vector<Pattern> patterns;
  for (const auto& text : all_of(segments, longest)) {
    if (auto parsed = Pattern::parse(text)) patterns.push_back(*parsed);
  }
  return patterns;
}

}  // namespace

TEST_CASE("a pattern without wildcards matches its own topic") {
  CHECK(matches("a.b", "a.b"));
  CHECK_FALSE(matches("a.b", "a"));
  CHECK_FALSE(matches("a.b", "a.b.c"));
  CHECK_FALSE(matches("a.b", "a.c"));
  CHECK_FALSE(matches("a", "ab"));
  CHECK_FALSE(matches("a", ""));
}

TEST_CASE("* is exactly one segment") {
  CHECK(matches("a.*", "a.b"));
  CHECK(matches("*", "a"));
  CHECK(matches("*.b", "a.b"));
  CHECK(matches("a.*.c", "a.b.c"));
  CHECK_FALSE(matches("a.*", "a"));
  CHECK_FALSE(matches("a.*", "a.b.c"));
  CHECK_FALSE(matches("*", "a.b"));
}

TEST_CASE("a final > is one or more segments") {
  CHECK(matches(">", "a"));
  CHECK(matches(">", "a.b.c"));
  CHECK(matches("a.>", "a.b"));
  CHECK(matches("a.>", "a.b.c"));
  CHECK(matches("*.>", "a.b"));
  CHECK_FALSE(matches("a.>", "a"));
  CHECK_FALSE(matches("*.>", "a"));
  CHECK_FALSE(matches(">", ""));
}

TEST_CASE("topics with $ match only patterns with the same $ segment") {
  CHECK(matches("$sys.>", "$sys.producer.x"));
  CHECK(matches("$sys.producer.*", "$sys.producer.x"));
  CHECK(matches("$sys.health", "$sys.health"));
  CHECK_FALSE(matches("$sys.>", "$other.x"));
  CHECK_FALSE(matches(">", "$sys.health"));
  CHECK_FALSE(matches("*.>", "$sys.health"));
  CHECK_FALSE(matches("*.health", "$sys.health"));
  CHECK_FALSE(matches("*", "$sys"));
}

TEST_CASE("a pattern's error says what is wrong and where") {
  CHECK(error("") == "a pattern is empty; \">\" stands for everything");
  CHECK(error("a..b") == "\"a..b\": segment 2 is empty");
  CHECK(error("a.") == "\"a.\": segment 2 is empty");
  CHECK(error(".a") == "\".a\": segment 1 is empty");
  CHECK(error("a.>.b") == "\"a.>.b\": segment 2 is '>', which can only be the last segment");
  CHECK(error("a.b*") == "\"a.b*\": segment 2 mixes a wildcard with other characters");
  CHECK(error("**") == "\"**\": segment 1 mixes a wildcard with other characters");
  CHECK(error("a>") == "\"a>\": segment 1 mixes a wildcard with other characters");
  CHECK(error("a.$sys").find("segment 2 starts with '$'") != std::string::npos);
  CHECK(error("$").find("needs a name") != std::string::npos);
  CHECK(error("$*").find("mixes") != std::string::npos);
  CHECK(error("$a%20").find("needs a name") != std::string::npos);
  CHECK(error("a b").find("segment 1 has a character outside") != std::string::npos);
  CHECK(error("a.%41").find("needs no escape") != std::string::npos);
  CHECK(error("a.%c3").find("upper-case") != std::string::npos);
  CHECK(error("a%2Eb").find("segment 1 escapes a dot") != std::string::npos);
  CHECK(error("~0123456789abcdef0123456789abcdef").find("first segment") != std::string::npos);
  CHECK(error("a.~0123456789abcdef0123456789abcdef.>").find("only the last") != std::string::npos);
  CHECK(error("a.~x").find("32 lower-case hex") != std::string::npos);
  CHECK(error(std::string(256, 'a')) == "a pattern is 256 bytes long, at most 255 are allowed");
  CHECK(error(std::string(255, 'a')) == "");
}

TEST_CASE("escaped and hashed segments are literals") {
  CHECK(matches("a.b%2Ec", "a.b%2Ec"));
  CHECK(matches("*.~0123456789abcdef0123456789abcdef", "a.~0123456789abcdef0123456789abcdef"));
  CHECK_FALSE(matches("a.b%2Ec", "a.b.c"));
}

TEST_CASE("one pattern covers another if it matches all of its topics") {
  CHECK(covers(">", "*.>"));
  CHECK(covers(">", "a"));
  CHECK(covers(">", ">"));
  CHECK(covers("a.>", "a.*.b"));
  CHECK(covers("a.>", "a.>"));
  CHECK(covers("a.*", "a.b"));
  CHECK(covers("*.*", "a.*"));
  CHECK(covers("a.>", "a.b.>"));
  CHECK(covers("*.>", "a.>"));
  CHECK_FALSE(covers("*.>", ">"));
  CHECK_FALSE(covers("a.*", "a.>"));
  CHECK_FALSE(covers("a.b", "a.*"));
  CHECK_FALSE(covers("a.>", "a"));
  CHECK_FALSE(covers("a.>", "*.b"));
  CHECK_FALSE(covers("a.b.>", "a.>"));
  CHECK_FALSE(covers("a.*", "a.*.b"));
}

TEST_CASE("wildcards don't cover $ topics") {
  CHECK(covers("$sys.>", "$sys.producer.*"));
  CHECK(covers("$sys.>", "$sys.>"));
  CHECK_FALSE(covers(">", "$sys.>"));
  CHECK_FALSE(covers("*.>", "$sys.health"));
  CHECK_FALSE(covers("*", "$sys"));
  CHECK_FALSE(covers("$sys.>", "$other.x"));
  CHECK_FALSE(covers("$sys.>", ">"));
}

TEST_CASE("matching agrees with the model on every small pattern and topic") {
  const auto topics = all_of({"a", "b", "$s"}, 4);
  for (const Pattern& p : all_patterns({"a", "b", "*", ">", "$s", "$t"}, 3)) {
    for (const auto& topic : topics) {
      if (topic.find(".$") != std::string::npos) continue;
      if (p.matches(topic) != model_matches(p.text(), topic)) FAIL_CHECK(p.text() << " and " << topic);
    }
  }
}

// Complete, too: with a letter that no pattern names and topics one segment longer than any pattern, a pair
// that is not covered always has a witness among the topics.
TEST_CASE("covering is exactly: matched by one means matched by the other") {
  std::vector<std::string> topics = all_of({"a", "b", "x", "$s"}, 4);
  topics.erase(std::remove_if(topics.begin(), topics.end(),
                              [](const auto& topic) { return topic.find(".$") != std::string::npos; }),
               topics.end());
  const auto patterns = all_patterns({"a", "b", "*", ">", "$s"}, 3);
  CHECK(patterns.size() == 69);
  for (const Pattern& p : patterns) {
    for (const Pattern& q : patterns) {
      const bool subset = std::all_of(topics.begin(), topics.end(), [&](const auto& topic) {
        return !model_matches(q.text(), topic) || model_matches(p.text(), topic);
      });
      if (p.covers(q) != subset)
        FAIL_CHECK(p.text() << (subset ? " should" : " should not") << " cover " << q.text());
    }
  }
}

TEST_CASE("the literal prefix is what stands before the first wildcard") {
  CHECK(pattern("task.*.x").literal_prefix() == "task");
  CHECK(pattern("a.b.>").literal_prefix() == "a.b");
  CHECK(pattern("a.b").literal_prefix() == "a.b");
  CHECK(pattern(">").literal_prefix() == "");
  CHECK(pattern("*.a").literal_prefix() == "");
  CHECK(pattern("$sys.producer.*").literal_prefix() == "$sys.producer");
}

TEST_CASE("a type with its key") {
  CHECK(pattern("task.*").is_type_with_key("task"));
  CHECK(pattern("task.>").is_type_with_key("task"));
  CHECK(pattern("a.b.*").is_type_with_key("a.b"));
  CHECK_FALSE(pattern("task").is_type_with_key("task"));
  CHECK_FALSE(pattern("task.*").is_type_with_key("tas"));
  CHECK_FALSE(pattern("task.x").is_type_with_key("task"));
  CHECK_FALSE(pattern("task.*.*").is_type_with_key("task"));
  CHECK_FALSE(pattern("*.*").is_type_with_key("task"));
  CHECK_FALSE(pattern("task.*").is_type_with_key(""));
}

TEST_CASE("patterns are equal if their texts are") {
  CHECK(pattern("a.*") == pattern("a.*"));
  CHECK_FALSE(pattern("a.*") == pattern("a.>"));
  CHECK(pattern("a.*").text() == "a.*");
}

TEST_CASE("a list of patterns is separated by commas") {
  CHECK(parse_patterns("")->empty());
  const auto two = parse_patterns("a.*,>");
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK((*two)[0].text() == "a.*");
  CHECK((*two)[1].text() == ">");
  for (const char* bad : {",", "a,", ",a", "a,,b", "a, b", "a,b..c"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_patterns(bad));
  }
  CHECK(parse_patterns("a,b..c").error().message == "\"b..c\": segment 2 is empty");
}

TEST_CASE("a list has at most 256 patterns, or as many as it is told") {
  std::string list = "a";
  for (std::size_t i = 1; i < kMaxPatterns; ++i) list += ",a";
  CHECK(parse_patterns(list)->size() == 256);
  CHECK(parse_patterns(list + ",a").error().message == "more than 256 patterns");
  CHECK(parse_patterns(list + ",a", 257)->size() == 257);
  CHECK(parse_patterns("a,a", 1).error().message == "more than 1 patterns");
}

TEST_CASE("any of several patterns") {
  const auto patterns = *parse_patterns("a.*,b");
  CHECK(any_matches(patterns, "a.x"));
  CHECK(any_matches(patterns, "b"));
  CHECK_FALSE(any_matches(patterns, "c"));
  CHECK_FALSE(any_matches({}, "c"));
  CHECK(any_covers(patterns, pattern("a.x")));
  CHECK_FALSE(any_covers(patterns, pattern("a.>")));
}

TEST_CASE("matching allocates nothing") {
  const Pattern p = pattern("command-progress.*.a-segment-longer-than-a-small-string.>");
  const std::string topic = "command-progress.0b6f3c1e-8c1b-4f7e.a-segment-longer-than-a-small-string.b.c";
  const std::size_t before = allocations();
  const bool matched = p.matches(topic);
  CHECK(allocations() == before);
  CHECK(matched);
}

TEST_CASE("two patterns overlap if some topic is matched by both") {
  const auto overlap = [](const char* a, const char* b) {
    const auto one = *Pattern::parse(a);
    const auto two = *Pattern::parse(b);
    CHECK(one.overlaps(two) == two.overlaps(one));
    return one.overlaps(two);
  };
  CHECK(overlap("a.b", "a.b"));
  CHECK(overlap("a.*", "*.b"));
  CHECK(overlap("a.>", "*.*.c"));
  CHECK(overlap(">", "a"));
  CHECK_FALSE(overlap("a", "b"));
  CHECK_FALSE(overlap("a.>", "a"));
  CHECK_FALSE(overlap("a.*", "a.b.c"));
  CHECK_FALSE(overlap("a.b.>", "a.*"));
  CHECK_FALSE(overlap(">", "$sys.x"));
  CHECK_FALSE(overlap("*.x", "$sys.x"));
  CHECK(overlap("$sys.>", "$sys.*"));
}

TEST_CASE("what two patterns have in common is one pattern, of exactly the topics that both match") {
  const auto common = [](const char* a, const char* b) {
    const auto both = pattern(a).common(pattern(b));
    return both ? both->text() : "nothing";
  };
  CHECK(common(">", "task.>") == "task.>");
  CHECK(common("a.*", "*.b") == "a.b");
  CHECK(common("a.>", "*.*.c") == "a.*.c");
  CHECK(common("a.>", "a") == "nothing");
  CHECK(common(">", "$sys.>") == "nothing");
  CHECK(common((std::string(200, 'a') + ".*").c_str(), ("*." + std::string(200, 'b')).c_str()) == "nothing");

  const auto patterns = all_patterns({"a", "b", "*", ">", "$s"}, 3);
  const auto topics = all_of({"a", "b", "c", "$s"}, 4);
  for (const auto& one : patterns) {
    for (const auto& two : patterns) {
      const auto both = one.common(two);
      const bool right = std::all_of(topics.begin(), topics.end(), [&](const std::string& topic) {
        return (both && both->matches(topic)) == (one.matches(topic) && two.matches(topic));
      });
      if (!right) FAIL_CHECK(one.text(), " and ", two.text(), ": ", both ? both->text() : "nothing");
    }
  }
}
