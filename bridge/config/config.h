#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/config/settings.h"
#include "proto/result.h"

namespace trestle {

/// Looks up an environment variable; nothing if unset. A parameter so that tests need not touch the process.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// All names in the environment that start with TRESTLE_, so that a mistyped one is an error too.
using EnvironmentNames = std::function<std::vector<std::string>()>;

/// Loads the settings: defaults, then the YAML file if one is given, then TRESTLE_SECTION_KEY for every
/// scalar key (lists comma-separated). TRESTLE_URL and TRESTLE_TOKEN belong to the command line and are
/// ignored.
///
/// Errors are one line that says what to do and where: `trestle.yaml:12:3: unknown key "intervall" in
/// heartbeat (did you mean "interval"?)`. Unknown keys, wrong types, values without a unit where one is
/// needed, duplicate keys, several documents: all refused. Relative paths start at the file's folder, or
/// at the working directory without one, and come out absolute. Never throws; YAML exceptions stop here.
/// Bounds: files over 1 MiB are refused, aliases (`*x`) too.
Result<Settings> load_settings(const std::optional<std::filesystem::path>& file, const Environment& env,
                               const EnvironmentNames& env_names);

/// The same from text; `name` stands for the file in messages, `folder` is what relative paths are relative
/// to.
Result<Settings> parse_settings(std::string_view yaml, const std::string& name,
                                const std::filesystem::path& folder, const Environment& env,
                                const EnvironmentNames& env_names);

/// The settings in force as YAML that load_settings reads back to the same settings. `auth.token` is shown as
/// "***" unless empty, so it is the one thing that does not round-trip.
std::string print_settings(const Settings& settings);

}  // namespace trestle
