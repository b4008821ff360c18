#pragma once
#include <string>
#include <vector>

#include "bridge/core/ports.h"
#include "bridge/front/shard.h"

namespace trestle {

/// /api/status as an envelope: {"success":true,"data":{…}}; README.md shows one.
/// `uptime` in seconds. At most 1,000 sessions, producers and topics are listed; the totals count all.
std::string status_json(double uptime, const SpineStatus& spine, const std::vector<ShardStatus>& shards);

}  // namespace trestle
