// What a bridge says, read by the command line: a message a line. Whatever it is, the cursor stays one, and
// an event is a line of its own.
#include "clients/cli/incoming.h"
#include "proto/cursor.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = cli::Incoming::Kind;
  auto text = text_of(data, size);
  cli::IncomingReader reader;
  reader.set_cursor(std::string(take_line(text)));
  while (!text.empty()) {
    const auto before = reader.cursor();
    const auto in = reader.read(take_line(text));
    const bool is_event = in.kind == Kind::event || in.kind == Kind::repeated;
    MUST(is_event == !in.payload.empty());
    MUST(in.payload.find_first_of("\r\n") == std::string::npos);
    MUST(in.heartbeat.count() >= 0 && in.after.count() >= 0 && in.spread.count() >= 0);
    MUST(in.kind != Kind::error || !in.text.empty());
    const bool may_move = in.kind == Kind::event || in.kind == Kind::live || in.kind == Kind::cursor;
    MUST(may_move || reader.cursor() == before);
  }
  return 0;
}
