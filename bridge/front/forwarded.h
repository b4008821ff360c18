#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "bridge/config/ip_address.h"

namespace trestle {

bool is_in(const std::vector<Network>& networks, const IpAddress& address);

/// The client's address in X-Forwarded-For, whose lines are joined by ", ": the rightmost one that is no
/// trusted proxy's. What stands to the left of that one was written by somebody who is not trusted, and is
/// never looked at. An address may be in brackets and have a port.
///
/// Nothing if only trusted addresses are there, or what should be the client is no address ("unknown").
/// Bound: the 32 rightmost.
std::optional<IpAddress> forwarded_for(std::string_view header, const std::vector<Network>& trusted);

}  // namespace trestle
