#pragma once
#include <filesystem>

#include "proto/curve_key.h"
#include "proto/result.h"

namespace trestle {

/// Reads a CURVE key pair. Errors name the file, and the line or the remedy: unreadable, a
/// fault_of_secret(), no secret key in it, a pair that does not belong together.
Result<CurveKeys> load_key_pair(const std::filesystem::path& path);

}  // namespace trestle
