#pragma once
#include <functional>
#include <memory>
#include <string>

#include "bridge/auth/authority.h"
#include "bridge/config/settings.h"
#include "bridge/core/policy.h"
#include "bridge/front/admission.h"

namespace trestle {

/// What every session needs of the whole bridge. Made by Front before any thread starts, read-only then (the
/// parts are thread-safe themselves); outlives all shards.
struct FrontContext {
  const Settings& settings;
  const Authority& authority;
  const PolicyTable& policies;
  Admission admission;
  /// Gathers /api/status; `answer` is called once, on any thread.
  std::function<void(std::function<void(std::string json)> answer)> gather_status;
};

/// What a session inherits from the listener that accepted it.
struct ListenerInfo {
  std::vector<EndpointSettings> endpoints;
  bool tls = false;
};

}  // namespace trestle
