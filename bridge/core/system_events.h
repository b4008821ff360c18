#pragma once
#include "bridge/core/event.h"
#include "bridge/core/producers.h"
#include "bridge/core/rejections.h"

namespace trestle {

/// The events that the bridge itself publishes, not yet numbered.

/// $sys.producer.<id>: presence.
Event producer_event(const Producers::Change& change, const PolicyTable& policies);
/// $sys.rejected: messages that were refused, per reason, at most one a second.
Event rejected_event(const Rejections::Report& report, Micros now, const PolicyTable& policies);

/// $sys.health: `trouble` is why nothing is kept at the moment; empty when all is well again.
Event health_event(const std::string& trouble, Micros now, const PolicyTable& policies);

}  // namespace trestle
