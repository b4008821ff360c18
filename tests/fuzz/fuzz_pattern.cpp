// Two patterns and a topic on three lines, checked against the naive model of the unit tests.
#include <string>
#include <vector>

#include "proto/pattern.h"
#include "proto/topic.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"
#include "tests/unit/proto/pattern_model.h"

using namespace trestle;

namespace {

const std::string kNovel = "named-by-no-pattern";

/// A topic that `pattern` matches, as far from any other pattern's literals as can be; `rest` segments stand
/// for `>`.
std::string witness(const Pattern& pattern, std::size_t rest) {
  std::string topic;
  for (const std::string& segment : split(pattern.text(), '.')) {
    for (std::size_t i = 0; i < (segment == ">" ? rest : 1); ++i) {
      topic += (topic.empty() ? "" : ".") + (segment == "*" || segment == ">" ? kNovel : segment);
    }
  }
  return topic;
}

/// With names that `p` does not know and a rest as short and as long as can matter, two witnesses settle it.
bool model_covers(const Pattern& p, const Pattern& q) {
  return model_matches(p.text(), witness(q, 1)) &&
         model_matches(p.text(), witness(q, split(p.text(), '.').size() + 1));
}

void check_pair(const Pattern& p, const Pattern& q) {
  if (p.text().find(kNovel) != std::string::npos) return;
  MUST(p.covers(q) == model_covers(p, q));
  MUST(q.matches(witness(q, 1)) && q.matches(witness(q, 3)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = text_of(data, size);
  const auto p = Pattern::parse(take_line(input));
  const auto q = Pattern::parse(take_line(input));
  if (!p) MUST(!p.error().message.empty());
  if (p) MUST(p->covers(*p) && (p->text() == ">" || p->literal_prefix().size() <= p->text().size()));
  if (p && is_topic(input)) MUST(p->matches(input) == model_matches(p->text(), input));
  if (p && q) check_pair(*p, *q), check_pair(*q, *p);
  const auto list = parse_patterns(text_of(data, size));
  if (list) MUST(list->size() <= kMaxPatterns);
  return 0;
}
