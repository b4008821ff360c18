// An HTTP request and what it asks of a WebSocket: the same, wherever the bytes are cut; what goes back in a
// close frame's reason is text.
#include <algorithm>

#include "bridge/front/handshake.h"
#include "proto/request.h"
#include "proto/utf8.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

constexpr std::size_t kMaxBody = 2048;

int read_in_pieces(HttpReader& reader, Choices& choices, std::string_view bytes) {
  int status = 0;
  while (status == 0 && !bytes.empty()) {
    const auto size = choices.up_to(255);
    const auto piece = bytes.substr(0, size == 0 ? bytes.npos : size);
    bytes.remove_prefix(piece.size());
    status = reader.feed(piece);
  }
  return status;
}

void check_handshake(const HttpRequest& request) {
  const auto handshake = parse_handshake(request, EndpointSettings{}, TokenWays{});
  if (!handshake) {
    MUST(!handshake.error().why.empty() && is_utf8(handshake.error().why));
    return;
  }
  MUST(handshake->subprotocol.empty() || handshake->subprotocol == "trestle.v1" ||
       handshake->subprotocol == "trestle.plain");
  MUST(handshake->subprotocol != "trestle.v1" || handshake->form == Form::meta);
  MUST(!handshake->topics || handshake->topics->size() <= kMaxPatterns);
}

void check_request(HttpReader& reader) {
  const auto& request = reader.request();
  const auto [path, query] = split_target(request.target());
  MUST(path.size() + query.size() <= request.target().size());
  if (is_upgrade(request)) MUST(request.method() == "GET");
  if (has_websocket_key(request)) MUST(request.header("sec-websocket-key").size() == 24);
  check_handshake(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  HttpReader whole(kMaxBody);
  const int status = whole.feed(choices.input());
  MUST(status == 0 || status == 200 || (status >= 400 && status < 500));
  HttpReader cut(kMaxBody);
  const int again = read_in_pieces(cut, choices, choices.input());
  if (status == 200) check_request(whole);
  if (again == 200) check_request(cut);
  if (status != 200 || again != 200) return 0;
  MUST(whole.request().method() == cut.request().method() &&
       whole.request().target() == cut.request().target());
  MUST(whole.has_body() == cut.has_body());
  MUST(whole.request().header("Upgrade") == cut.request().header("Upgrade"));
  return 0;
}
