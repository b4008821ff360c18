#pragma once
#include <optional>
#include <string>
#include <vector>

#include "bridge/config/settings.h"
#include "proto/result.h"

namespace trestle {

/// What `trestled --check` does with settings that are sound in themselves: looks at all the files and
/// folders that they name, as the user that a start would go on as, and gives the warnings. The error is the
/// one that a start would end with. Nothing is written, made or locked; what other processes hold (ports,
/// paths, the journal) is not looked at.
///
/// Started as root, the process is `settings.user` afterwards. Before threads start.
Result<std::vector<std::string>> check_files(const Settings& settings);

}  // namespace trestle
