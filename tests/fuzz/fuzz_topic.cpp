// A type and a key on two lines; the whole input is tried as a topic, too.
#include <string>

#include "proto/pattern.h"
#include "proto/topic.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

std::string unescape(std::string_view escaped) {
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      out.push_back(escaped[i]);
    } else {
      out.push_back(static_cast<char>(std::stoi(std::string(escaped.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return out;
}

/// The one form: taking the escapes out and putting them in again changes nothing.
void check_canonical(std::string_view topic) {
  while (true) {
    const std::string segment(topic.substr(0, topic.find('.')));
    MUST(!segment.empty());
    // Over kMaxKey only a type's segment can be; escape_key would hash it.
    if (segment.front() != '~' && segment.size() <= kMaxKey) MUST(escape_key(unescape(segment)) == segment);
    if (segment.size() == topic.size()) return;
    topic.remove_prefix(segment.size() + 1);
  }
}

void check_as_topic(std::string_view text) {
  const bool good = is_topic(text);
  if (good) check_canonical(text);
  const bool only_literals = text.find_first_of("*>$") == std::string_view::npos;
  const auto pattern = Pattern::parse(text);
  if (only_literals) MUST(pattern.has_value() == good);
  if (good) MUST(pattern->matches(text) && pattern->covers(*pattern));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = text_of(data, size);
  check_as_topic(input);
  const std::string_view type = take_line(input);
  const std::string_view key = input;
  const std::string key_segment = escape_key(key);
  MUST(key_segment.empty() == key.empty());
  MUST(key_segment.size() <= kMaxKey);
  MUST(key.empty() || key_segment.front() == '~' || unescape(key_segment) == key);
  const std::string type_topic = escape_type(type);
  if (type_topic.empty()) return 0;
  MUST(is_topic(type_topic) && unescape(type_topic) == type);
  Reject why = Reject::none;
  const std::string topic = join_topic(type_topic, key, why);
  MUST(topic.empty() == (why == Reject::bad_topic));
  if (topic.empty()) return 0;
  MUST(is_topic(topic) && topic_starts_with(topic, type_topic));
  check_as_topic(topic);
  return 0;
}
