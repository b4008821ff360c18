#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "proto/result.h"

namespace trestle {

/// Reads a small file whole. Errors name the path and what the system said. Bound: 1 MiB.
Result<std::string> read_small_file(const std::filesystem::path& path);

/// Replaces a file's content so that after a crash it is either the old or the new one, never a part: written
/// beside it, flushed to disk, renamed over it. Mode 0600. Errors name the path and what the system said; the
/// old file then stays.
Result<std::monostate> write_private_file(const std::filesystem::path& path, std::string_view content);

}  // namespace trestle
