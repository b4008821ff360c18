// Redaction against RapidJSON's document model: random documents, written in random ways, and random
// pointers.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "proto/redaction.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/redaction_reference.h"

using namespace trestle;

namespace {

using Names = std::vector<std::string>;

const Names kNames = {"a", "b", "0", "1", "*", "", "a/b", "~", "\xc3\xa9", "a\"\\", "a\n"};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  /// A document with an object at its root.
  std::string document() {
    text_.clear();
    blank();
    object(4);
    blank();
    return text_;
  }
  Names pointers() {
    Names made;
    for (std::size_t i = 1 + below(4); i > 0; --i) {
      std::string pointer;
      for (std::size_t k = 1 + below(3); k > 0; --k) pointer += "/" + escaped(kNames[below(kNames.size())]);
      made.push_back(pointer);
    }
    return made;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  void blank() {
    static const std::string kBlanks = " \t\r\n";
    while (below(4) == 0) text_ += kBlanks[below(kBlanks.size())];
  }
  static std::string escaped(const std::string& name) {
    std::string pointer;
    for (const char c : name) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return pointer;
  }
  /// Any character of ASCII may be written as an escape, and some must be.
  void string(const std::string& content) {
    text_ += '"';
    for (const char c : content) {
      const auto byte = static_cast<unsigned char>(c);
      const bool must = byte < 0x20 || c == '"' || c == '\\';
      if (must || (byte < 0x80 && below(3) == 0)) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04X", byte);
        text_ += escape;
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }
  void value(int levels) {
    static const Names kScalars = {"null", "true", "false", "0", "-1.5e+3", "123456789012345678901234567890"};
    switch (below(levels == 0 ? 2 : 4)) {
      case 0: text_ += kScalars[below(kScalars.size())]; return;
      case 1: return string(kNames[below(kNames.size())] + "{[,:\"");
      case 2: return object(levels - 1);
      default: return array(levels - 1);
    }
  }
  void object(int levels) {
    auto names = kNames;
    std::shuffle(names.begin(), names.end(), random_);
    names.resize(below(5));
    text_ += '{';
    blank();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) text_ += ',';
      blank();
      string(names[i]);
      blank();
      text_ += ':';
      blank();
      value(levels);
      blank();
    }
    text_ += '}';
  }
  void array(int levels) {
    text_ += '[';
    blank();
    for (std::size_t i = 0, size = below(4); i < size; ++i) {
      if (i > 0) text_ += ',';
      blank();
      value(levels);
      blank();
    }
    text_ += ']';
  }

  std::mt19937 random_;
  std::string text_;
};

bool is_subsequence(const std::string& part, const std::string& whole) {
  std::size_t met = 0;
  for (const char c : whole) {
    if (met < part.size() && part[met] == c) ++met;
  }
  return met == part.size();
}

}  // namespace

TEST_CASE("what is left is what the document model leaves, byte for byte as it was written") {
  unsigned changed = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Maker make(seed);
    const auto json = make.document();
    const auto pointers = make.pointers();
    const auto left = Redaction::make(pointers)->apply(json);
    INFO(seed, " ", json, " without ", pointers.front());
    REQUIRE(left);

    rapidjson::Document before, wanted, seen;
    REQUIRE(parse_reference(json, before));
    const bool parsed = parse_reference(*left, seen);
    REQUIRE(parsed);
    wanted.CopyFrom(before, wanted.GetAllocator());
    for (const auto& pointer : pointers) remove_from(wanted, *split_pointer(pointer));
    const bool as_wanted = same_document(seen, wanted);
    REQUIRE(as_wanted);
    changed += before == wanted ? 0 : 1;
    if (before == wanted) REQUIRE(*left == json);
    if (left->find("null") == std::string::npos) REQUIRE(is_subsequence(*left, json));
  }
  CHECK(changed > 3'000);
}
