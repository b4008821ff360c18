#pragma once
#include <filesystem>
#include <memory>

#include "bridge/auth/producer_watch.h"
#include "bridge/config/settings.h"
#include "proto/curve_key.h"
#include "proto/result.h"

namespace trestle {

/// Reads a CURVE key pair. Errors name the file, and the line or the remedy: unreadable, a
/// fault_of_secret(), no secret key in it, a pair that does not belong together.
Result<CurveKeys> load_key_pair(const std::filesystem::path& path);

/// What a bridge's CURVE needs from files.
struct CurveFiles {
  CurveKeys keys;
  std::shared_ptr<ProducerWatch> producers;  ///< null without a list: nothing but dialing out
};
/// Errors start with the place in the configuration. CURVE is enabled in `settings`.
Result<CurveFiles> open_curve_files(const CurveSettings& settings);

}  // namespace trestle
