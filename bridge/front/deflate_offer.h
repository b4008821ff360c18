#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace trestle {

/// An offer of permessage-deflate (RFC 7692) that Trestle takes: one without a smaller window for the server,
/// for a message is compressed once for all clients.
struct DeflateOffer {
  bool server_window = false;  ///< it names server_max_window_bits, so the answer must
};

/// The first offer in the value of a Sec-WebSocket-Extensions header that Trestle can take. Passed over:
/// other extensions, and offers that are malformed, name a parameter twice, one that is unknown, or a value
/// that is not allowed.
std::optional<DeflateOffer> find_deflate_offer(std::string_view header);

/// Leaves in a request just the offer that was found, in plain words, or none: websocketpp's own reading of
/// the header takes a parameter that comes twice, and refuses the whole request for one malformed offer. In
/// place and as long as it was. `request` is the one whose header the offer was found in.
void settle_extensions(std::string& request, const std::optional<DeflateOffer>& offer);

}  // namespace trestle
