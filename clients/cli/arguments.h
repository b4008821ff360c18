#pragma once
#include <string>
#include <vector>

namespace trestle::cli {

/// The program's arguments, without its name. Tokens among them (--token T, --token=T, ?token=T in an
/// address) are overwritten with asterisks in `argv`, for everybody on the machine can read them there as
/// long as the program runs.
std::vector<std::string> take_arguments(int argc, char** argv);

}  // namespace trestle::cli
