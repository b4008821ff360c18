// Control messages in both directions: what is understood survives being written and read again.
#include <string>

#include "proto/control.h"
#include "proto/topic.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

template <class Message>
void check(const Result<Message>& decoded, Result<Message> (*decode)(std::string_view)) {
  if (!decoded) {
    MUST(!decoded.error().message.empty());
    return;
  }
  MUST(is_producer_id(decoded->producer) && decoded->epoch < kIntegerLimit);
  const std::string written = encode(*decoded);
  rapidjson::Document document;
  MUST(parse_reference(written, document) && document.IsObject());
  const auto again = decode(written);
  MUST(again && again->kind == decoded->kind && encode(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check(decode_from_producer(text), decode_from_producer);
  check(decode_from_bridge(text), decode_from_bridge);
  return 0;
}
