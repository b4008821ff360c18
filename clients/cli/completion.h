#pragma once
#include <CLI/App.hpp>
#include <string>
#include <string_view>

namespace trestle::cli {

/// A completion script for `shell` (bash, zsh or fish), made from the program's own tree of subcommands and
/// options, so that it can't fall behind. Empty for another shell.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace trestle::cli
