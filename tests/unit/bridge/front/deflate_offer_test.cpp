#include "bridge/front/deflate_offer.h"

#include <doctest/doctest.h>

#include <ostream>
#include <vector>

using namespace trestle;

namespace {

/// "none", "plain", or "window" when the answer must name the window.
std::string found(std::string_view header) {
  const auto offer = find_deflate_offer(header);
  if (!offer) return "none";
  return offer->server_window ? "window" : "plain";
}

std::string request_with(const std::vector<std::string>& lines) {
  std::string text = "GET /?token=T HTTP/1.1\r\nHost: h\r\n";
  for (const auto& line : lines) text += line + "\r\n";
  return text + "Sec-WebSocket-Version: 13\r\n\r\nSec-WebSocket-Extensions: data behind the header\r\n\r\n";
}

std::string settled(std::string text, const std::optional<DeflateOffer>& offer) {
  const auto size = text.size();
  settle_extensions(text, offer);
  CHECK(text.size() == size);
  return text;
}

}  // namespace

TEST_CASE("offers that are taken") {
  CHECK(found("permessage-deflate") == "plain");
  CHECK(found("permessage-deflate; client_max_window_bits") == "plain");  // Chromium
  CHECK(found("permessage-deflate;client_max_window_bits=8") == "plain");
  CHECK(found("permessage-deflate; server_no_context_takeover; client_no_context_takeover") == "plain");
  CHECK(found("permessage-deflate; server_max_window_bits=15") == "window");
  CHECK(found("permessage-deflate; server_max_window_bits=\"15\"") == "window");
  CHECK(found("\tpermessage-deflate ;\tclient_max_window_bits = \"10\" ") == "plain");
  CHECK(found("x-webkit-deflate-frame, permessage-deflate") == "plain");
  CHECK(found(", ,permessage-deflate,") == "plain");
}

TEST_CASE("the examples of RFC 7692, section 7.1.3: the next offer is looked at when one is declined") {
  CHECK(found("permessage-deflate; client_max_window_bits; server_max_window_bits=10") == "none");
  CHECK(found("permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
              "permessage-deflate; client_max_window_bits") == "plain");
  CHECK(
      found("permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=15") ==
      "window");
}

TEST_CASE("offers that are declined") {
  for (const auto* header : {"",
                             ",",
                             "permessage-deflat",
                             "Permessage-Deflate",
                             "x-permessage-deflate",
                             "permessage-deflate; unknown",
                             "permessage-deflate; mux=1",
                             "permessage-deflate; server_max_window_bits",
                             "permessage-deflate; server_max_window_bits=",
                             "permessage-deflate; server_max_window_bits=8",
                             "permessage-deflate; server_max_window_bits=14",
                             "permessage-deflate; server_max_window_bits=16",
                             "permessage-deflate; server_max_window_bits=015",
                             "permessage-deflate; server_max_window_bits=15; server_max_window_bits=15",
                             "permessage-deflate; client_max_window_bits=7",
                             "permessage-deflate; client_max_window_bits=16",
                             "permessage-deflate; client_max_window_bits=08",
                             "permessage-deflate; client_max_window_bits=",
                             "permessage-deflate; client_max_window_bits=\"\"",
                             "permessage-deflate; client_max_window_bits=\"10",
                             "permessage-deflate; client_max_window_bits=\"1\\0\"",
                             "permessage-deflate; client_max_window_bits=ten",
                             "permessage-deflate; client_max_window_bits; client_max_window_bits",
                             "permessage-deflate; client_no_context_takeover=1",
                             "permessage-deflate; server_no_context_takeover=\"\"",
                             "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
                             "permessage-deflate;",
                             "permessage-deflate;;client_max_window_bits",
                             "permessage-deflate client_max_window_bits",
                             "permessage-deflate=1",
                             "\"permessage-deflate\"",
                             "other; x=\", permessage-deflate",
                             "other; x=\"a\\\", permessage-deflate"}) {
    CAPTURE(header);
    CHECK(found(header) == "none");
    const auto next = std::string(header) + ", permessage-deflate";
    const bool open_quote = std::string_view(header).find('"') != std::string_view::npos;
    if (!open_quote) CHECK(found(next) == "plain");
  }
  CHECK(found("other; x=\"a, permessage-deflate\", y") == "none");
  CHECK(found("other; x=\"a, b\", permessage-deflate") == "plain");
}

TEST_CASE("no beginning of an offer crashes, and only whole ones are taken") {
  const std::string whole = "permessage-deflate; server_max_window_bits=\"15\"; client_no_context_takeover";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto part = whole.substr(0, cut);
    const bool at_end = cut == 18 || cut == 47;
    CAPTURE(part);
    CHECK((found(part) != "none") == at_end);
  }
}

TEST_CASE("a request is left with the offer that was found, or none") {
  const auto plain =
      settled(request_with({"Sec-WebSocket-Extensions: foo, permessage-deflate; x=\""}), DeflateOffer{});
  CHECK(plain.find("Sec-WebSocket-Extensions:permessage-deflate  ") != std::string::npos);
  CHECK(plain.find("foo") == std::string::npos);
  CHECK(plain.find("data behind the header") != std::string::npos);

  const auto window =
      settled(request_with({"sec-websocket-EXTENSIONS :permessage-deflate;server_max_window_bits=15"}),
              DeflateOffer{true});
  CHECK(window.find(":permessage-deflate;server_max_window_bits=15\r\n") != std::string::npos);

  const auto none =
      settled(request_with({"Sec-WebSocket-Extensions: permessage-deflate", " Sec-WebSocket-Extensions:x"}),
              std::nullopt);
  CHECK(none.find("Xec-WebSocket-Extensions: permessage-deflate\r\n") != std::string::npos);
  CHECK(none.find("XSec-WebSocket-Extensions:x\r\n") != std::string::npos);
  CHECK(none.find("\r\nSec-WebSocket-Extensions: data") != std::string::npos);

  const auto two =
      settled(request_with({"Sec-WebSocket-Extensions: foo", "Sec-WebSocket-Extensions: permessage-deflate",
                            "Sec-WebSocket-Extensions: permessage-deflate; mux"}),
              DeflateOffer{});
  CHECK(two.find("Xec-WebSocket-Extensions: foo") != std::string::npos);
  CHECK(two.find("Sec-WebSocket-Extensions:permessage-deflate ") != std::string::npos);
  CHECK(two.find("Xec-WebSocket-Extensions: permessage-deflate; mux") != std::string::npos);

  CHECK(settled("GET / HTTP/1.1", DeflateOffer{}) == "GET / HTTP/1.1");
}
