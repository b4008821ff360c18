#pragma once
#include <CLI/App.hpp>
#include <string>

namespace trestle::cli {

/// The subcommand that the arguments named, as far as they got: "trestle token create".
std::string command_name(const CLI::App& root);

/// What is wrong with the arguments, and how to get help: two lines, the first of which begins with the
/// subcommand. Of what was not expected it names only what looks like a mistyped option or subcommand, never
/// values or other arguments: one of them may be a token.
std::string usage_error(const CLI::App& root, const CLI::ParseError& error);

}  // namespace trestle::cli
