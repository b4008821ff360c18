#pragma once
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "bridge/config/config.h"

namespace trestle {

using Variables = std::map<std::string, std::string>;

inline Result<Settings> read(const std::string& yaml, const Variables& variables = {},
                             const std::filesystem::path& folder = {}) {
  const auto env = [&](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : variables) all.push_back(entry.first);
    return all;
  };
  return parse_settings(yaml, "t.yaml", folder, env, names);
}

/// The settings, or the test stops with the error.
inline Settings settings_of(const std::string& yaml, const Variables& variables = {},
                            const std::filesystem::path& folder = {}) {
  const auto settings = read(yaml, variables, folder);
  if (!settings) FAIL(settings.error().message);
  return *settings;
}

/// The error line, "ok" if there is none.
inline std::string error_of(const std::string& yaml, const Variables& variables = {}) {
  const auto settings = read(yaml, variables);
  return settings ? "ok" : settings.error().message;
}

}  // namespace trestle
