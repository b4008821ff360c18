#pragma once
#include "bridge/config/config.h"
#include "bridge/config/keys.h"
#include "bridge/config/places.h"
#include "bridge/config/yaml_tree.h"

namespace trestle {

/// Sets what the file's tree says. The error, if any, is the whole line to show.
std::optional<Error> read_tree(const YamlNode& root, Draft& draft, Places& places);

/// Sets what the environment says, then refuses TRESTLE_ names that stand for nothing. The error is the whole
/// line.
std::optional<Error> read_environment(const Environment& env, const EnvironmentNames& env_names, Draft& draft,
                                      Places& places);

}  // namespace trestle
