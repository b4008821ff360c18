// An HTTP request and what it asks of a WebSocket: the same, wherever the bytes are cut; what is taken has a
// head that can be read in one way only; what goes back in a close frame's reason is text.
#include <strings.h>

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

constexpr std::string_view kNameBytes =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

void check_first_line(std::string_view line) {
  const auto method = line.find_first_not_of(kNameBytes);
  MUST(method != line.npos && method > 0 && line[method] == ' ');
  const auto target = line.find_first_of(std::string_view("\0\t\r\n ", 5), method + 1);
  MUST(target != line.npos && target > method + 1);
  MUST(line.substr(target) == " HTTP/1.0" || line.substr(target) == " HTTP/1.1");
}

// Whether the line is a Host.
bool check_field(std::string_view line) {
  const auto size = line.find_first_not_of(kNameBytes);
  MUST(size != line.npos && size > 0 && line[size] == ':');
  MUST(line.find_first_of(std::string_view("\0\r\n", 3)) == line.npos);
  return size == 4 && ::strncasecmp(line.data(), "host", 4) == 0;
}

void check_head(std::string_view input) {
  auto lines = input.substr(0, input.find("\r\n\r\n"));
  const auto first = lines.substr(0, lines.find("\r\n"));
  check_first_line(first);
  std::size_t hosts = 0;
  for (lines.remove_prefix(first.size()); !lines.empty();) {
    lines.remove_prefix(2);
    const auto line = lines.substr(0, lines.find("\r\n"));
    if (check_field(line)) ++hosts;
    lines.remove_prefix(line.size());
  }
  MUST(hosts == 1 || (hosts == 0 && first.back() == '0'));
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
  MUST(status == read_in_pieces(cut, choices, choices.input()));
  MUST((status >= 400) != whole.fault().empty());
  if (status != 200) return 0;
  check_head(choices.input());
  check_request(whole);
  check_request(cut);
  MUST(whole.request().method() == cut.request().method() &&
       whole.request().target() == cut.request().target());
  MUST(whole.has_body() == cut.has_body());
  for (const auto* name : {"Upgrade", "Host"}) {
    MUST(whole.request().header(name) == cut.request().header(name));
  }
  return 0;
}
