#pragma once
#include <functional>
#include <memory>
#include <string>

#include "bridge/auth/authority.h"
#include "bridge/config/ip_address.h"
#include "bridge/config/origin.h"
#include "bridge/config/settings.h"
#include "bridge/core/policy.h"
#include "bridge/front/admission.h"
#include "bridge/front/backoff.h"

namespace trestle {

/// What every session needs of the whole bridge. Made by Front before any thread starts, read-only then (the
/// parts are thread-safe themselves); outlives all shards.
struct FrontContext {
  const Settings& settings;
  const Authority& authority;
  const PolicyTable& policies;
  Admission admission;
  Backoff backoff;
  /// Gathers what /api/status shows to `reader`; `answer` is called once, on any thread.
  std::function<void(IdentityPtr reader, std::function<void(std::string json)> answer)> gather_status;
};

/// What a session inherits from the listener that accepted it.
struct ListenerInfo {
  std::vector<EndpointSettings> endpoints;
  bool tls = false;
  std::vector<Origin> origins;           ///< whose pages may connect; see may_page_connect()
  std::vector<Network> trusted_proxies;  ///< who may say whom a connection is from
  bool proxy_protocol = false;           ///< they say it in a PROXY header, and nobody else is let in
};

}  // namespace trestle
