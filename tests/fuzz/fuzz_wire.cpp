// A server's bytes, as the load client takes its frames apart.
#include "clients/bench/wire.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = text_of(data, size);
  while (true) {
    const auto head = bench::header_size(bytes);
    MUST(head == 0 || head == 2 || head == 4 || head == 10);
    if (head == 0 || head > bytes.size()) break;
    const auto payload = bench::payload_size(bytes);
    MUST(head != 2 || payload < 126);
    MUST(head != 4 || payload < 65536);
    MUST(static_cast<int>(bench::opcode_of(bytes)) < 16);
    bytes.remove_prefix(head);
    if (payload > bytes.size()) break;
    bytes.remove_prefix(payload);
  }
  const auto text = text_of(data, size).substr(0, 65535);
  const auto frame = bench::client_frame(bench::Opcode::text, text);
  MUST(bench::payload_size(frame) == text.size());
  MUST(frame.size() == bench::header_size(frame) + 4 + text.size());
  return 0;
}
