#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "bridge/config/settings.h"
#include "proto/result.h"

namespace trestle {

/// What `trestled --check` does with settings that are sound in themselves: looks at all the files and
/// folders that they name, as the user that a start would go on as, and gives the warnings. The error is the
/// one that a start would end with. Nothing is written, made or locked; what other processes hold (ports,
/// paths, the journal) is not looked at. `token_file`: as in warnings_of().
///
/// Started as root, the process is `settings.user` afterwards. Before threads start.
Result<std::vector<std::string>> check_files(const Settings& settings,
                                             const std::filesystem::path& token_file);

/// What is allowed in loaded settings and yet probably not meant, each as the whole line: for --check and a
/// start alike. `token_file` is the configuration file that holds `auth.token`; empty if none does. Call it
/// while the settings still have their token.
std::vector<std::string> warnings_of(const Settings& settings, const std::filesystem::path& token_file);

/// The error of a file that was read as root and could not be read again as the user who will have to.
Error as_user(const Settings& settings, const Error& error);

}  // namespace trestle
