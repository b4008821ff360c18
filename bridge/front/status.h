#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bridge/auth/authority.h"
#include "bridge/core/ports.h"
#include "bridge/core/rights.h"
#include "bridge/front/shard.h"
#include "bridge/front/tls_watch.h"

namespace trestle {

/// What /api/status shows of the front as a whole.
struct FrontStatus {
  double uptime = 0;  ///< seconds
  std::uint64_t accept_pauses = 0;
  std::uint64_t turned_away = 0;  ///< by the listeners
  TlsStatus tls;
  AuthStatus auth;
  std::vector<ShardStatus> shards;
};

/// /api/status as an envelope: {"success":true,"data":{…}}; README.md shows one.
/// Topics, producers (`$sys.producer.<id>`) and the pressure on topics are those that `reader` may read, and
/// are counted in the totals so; `sessions` is there for who may read `$sys.>`. Of each at most 1,000 are
/// listed; the totals count all.
std::string status_json(const SpineStatus& spine, const FrontStatus& front, const Rights& reader);

}  // namespace trestle
