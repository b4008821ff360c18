// Key files and lists of producers, which people edit: whatever they hold, the answer is keys or one line
// that says why not, and never shows a secret.
#include <string>
#include <string_view>

#include "bridge/auth/producer_list.h"
#include "proto/curve_key.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

void check_pair(std::string_view text) {
  const auto keys = parse_curve_keys(text);
  if (!keys) {
    MUST(keys.error().message.find('\n') == std::string::npos);
    MUST(keys.error().message.size() < 200);
    return;
  }
  MUST(is_curve_key(keys->public_key));
  MUST(keys->secret_key.empty() || is_curve_key(keys->secret_key));
  const auto again = parse_curve_keys(print_curve_keys(*keys, "again"));
  MUST(again && again->public_key == keys->public_key && again->secret_key == keys->secret_key);
}

void check_list(std::string_view text) {
  const auto list = ProducerList::parse(text, "fuzz.yaml");
  if (list) {
    MUST(list->find("") == nullptr);
    MUST(list->size() <= text.size() / 40);
    return;
  }
  const auto& line = list.error().message;
  MUST(line.compare(0, 10, "fuzz.yaml:") == 0 && line.find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  check_pair(text);
  check_list(text);
  return 0;
}
