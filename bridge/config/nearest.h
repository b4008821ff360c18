#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trestle {

/// The candidate that `word` is most likely meant to be: the fewest letters inserted, left out, replaced or
/// swapped, upper and lower case being the same. Empty if none comes near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace trestle
