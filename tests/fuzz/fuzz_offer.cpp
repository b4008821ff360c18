// The value of a Sec-WebSocket-Extensions header, and a request that holds it.
#include <string>

#include "bridge/front/deflate_offer.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(text_of(data, size));
  const auto offer = find_deflate_offer(header);
  if (offer) MUST(header.find("permessage-deflate") != std::string::npos);
  if (offer && offer->server_window) MUST(header.find("server_max_window_bits") != std::string::npos);
  // What comes before is no reason to decline one more.
  if (header.find_first_of("\"\\") == std::string::npos)
    MUST(find_deflate_offer(header + ", permessage-deflate"));
  if (header.find_first_of("\r\n") != std::string::npos) return 0;

  std::string request =
      "GET / HTTP/1.1\r\nA: b\r\nSec-WebSocket-Extensions:" + header + "\r\nC: d\r\n\r\nrest";
  const auto before = request.size();
  settle_extensions(request, offer);
  MUST(request.size() == before);
  const auto line = request.find("\r\nSec-WebSocket-Extensions:permessage-deflate");
  MUST((line != std::string::npos) == offer.has_value());
  MUST(request.find("\r\nC: d\r\n\r\nrest") != std::string::npos);
  return 0;
}
