#pragma once
#include <CLI/Option.hpp>
#include <cstdint>
#include <string>
#include <vector>

/// What may be written for an option. Its help names the kind of value, and the errors say what would be
/// right.
namespace trestle::cli {

/// "10s", at most `most` ms; the option gets the number of ms.
CLI::Option* takes_duration(CLI::Option* option, std::uint64_t most);

/// A whole number, decimal, both ends included; the help tells them.
CLI::Option* takes_number(CLI::Option* option, std::uint64_t least, std::uint64_t most);

/// What names a token: an empty one names none, and what is not UTF-8 would be another one once written.
CLI::Option* takes_text(CLI::Option* option);

CLI::Option* takes_one_of(CLI::Option* option, std::vector<std::string> words);

/// A file that is there.
CLI::Option* takes_file(CLI::Option* option);

/// Repeatable, one value each time, so that an argument that follows is not swallowed.
CLI::Option* repeatable(CLI::Option* option);

}  // namespace trestle::cli
