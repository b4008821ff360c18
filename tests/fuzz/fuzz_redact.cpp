// Redaction: the first line has the pointers, separated by blanks, the rest is the payload. What is left of
// an event is JSON, has none of the members, and differs in nothing else; of what the intake takes, something
// is left.
#include <algorithm>
#include <string>
#include <vector>

#include "proto/event.h"
#include "proto/redaction.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/redaction_reference.h"

using namespace trestle;

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const auto word = line.substr(0, line.find(' '));
    words.emplace_back(word);
    line.remove_prefix(std::min(line.size(), word.size() + 1));
  }
  return words;
}

bool is_event(std::string_view payload) {
  static auto checker = EventChecker::make({64 * 1024, 64}, {});
  return checker->check(payload) == Reject::none;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto payload = text_of(data, size);
  const auto pointers = words_of(take_line(payload));
  const auto redaction = Redaction::make(pointers);
  if (!redaction) return 0;
  const auto left = redaction->apply(payload);
  redaction->is_ambiguous(payload);
  MUST(left || !is_event(payload));
  rapidjson::Document wanted;
  if (!left || !is_event(payload) || !parse_reference(payload, wanted)) return 0;
  for (const auto& pointer : pointers) remove_from(wanted, *split_pointer(pointer));
  rapidjson::Document seen;
  MUST(parse_reference(*left, seen));
  MUST(same_document(seen, wanted));
  MUST(redaction->apply(*left) == left);
  return 0;
}
