#pragma once
#include <string>
#include <vector>

namespace trestle::cli {

/// The patterns of the command line as the bridge takes them, joined by commas; empty for none. Throws
/// Failure for what is no pattern.
std::string joined_topics(const std::vector<std::string>& patterns);

}  // namespace trestle::cli
