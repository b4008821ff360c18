// The first bytes of a connection from a proxy, and how they come in pieces (the first byte of the input).
#include <algorithm>
#include <string>

#include "bridge/front/proxy_header.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

struct Outcome {
  ProxyHeader::State state = ProxyHeader::State::more;
  std::optional<IpAddress> source;
  std::size_t read = 0;
};

Outcome read(std::string_view bytes, std::size_t piece) {
  ProxyHeader header;
  Outcome out;
  while (out.read < bytes.size() && out.state == ProxyHeader::State::more) {
    MUST(header.wants() > 0);
    const auto size = std::min({header.wants(), piece, bytes.size() - out.read});
    out.state = header.feed(bytes.substr(out.read, size));
    out.read += size;
    MUST(out.read <= 4096);
  }
  if (out.state == ProxyHeader::State::done) out.source = header.source();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(text_of(data + 1, size - 1));
  const auto whole = read(bytes, bytes.size());
  const auto pieces = read(bytes, 1U + data[0]);
  MUST(whole.state == pieces.state || whole.state == ProxyHeader::State::bad ||
       pieces.state == ProxyHeader::State::bad);
  if (whole.state != ProxyHeader::State::done) return 0;
  MUST(pieces.state == ProxyHeader::State::done && whole.read == pieces.read);
  MUST(whole.source.has_value() == pieces.source.has_value());
  if (whole.source) MUST(IpAddress::parse(whole.source->text()) == whole.source);
  return 0;
}
