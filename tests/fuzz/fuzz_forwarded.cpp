// The value of X-Forwarded-For; the same text as an Origin, and as a Host.
#include <string>

#include "bridge/config/origin.h"
#include "bridge/front/forwarded.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Network> trusted{*Network::parse("10.0.0.0/8"), *Network::parse("2001:db8::/32")};
  const std::string text(text_of(data, size));
  const auto client = forwarded_for(text, trusted);
  if (client) MUST(!is_in(trusted, *client));
  // What a client writes in front of what its proxy adds changes nothing.
  const auto behind = forwarded_for(text + ", 192.0.2.1, 10.0.0.1", trusted);
  MUST(behind && behind->text() == "192.0.2.1");

  const auto page = Origin::parse(text);
  if (page) {
    MUST(Origin::parse_allowed(text)->allows(*page));
    MUST(page->is_host(text.substr(text.find("://") + 3), false));
    MUST(!Origin::parse_allowed("https://*.example.invalid")->allows(*page) ||
         text.find('.') != std::string::npos);
  }
  (void)Network::parse(text);
  return 0;
}
