// A cursor is one text and no other: what is taken reads the same when it is written again, but for leading
// zeros.
#include "proto/cursor.h"

#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto cursor = parse_cursor(text);
  if (!cursor) return 0;
  MUST(cursor->offset < kIntegerLimit);
  if (cursor->epoch.empty()) {
    MUST(text == "0" && cursor->offset == 0);
    return 0;
  }
  MUST(cursor->epoch.size() <= 20 && cursor->epoch.find_first_not_of("0123456789") == std::string::npos);
  const auto again = parse_cursor(cursor->epoch + ":" + std::to_string(cursor->offset));
  MUST(again && again->epoch == cursor->epoch && again->offset == cursor->offset);
  MUST(text.substr(0, cursor->epoch.size() + 1) == cursor->epoch + ":");
  return 0;
}
