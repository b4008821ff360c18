#pragma once
#include <string>
#include <vector>

namespace trestle::bench {

enum class Better { more, less };

/// Prints a line of the table: what, the median of the samples, from the least to the most of them, and, with
/// a bar (0: none), whether the median reached it.
void print(const std::string& what, std::vector<double> samples, const std::string& unit, double bar = 0,
           Better better = Better::more);

/// The value below which the given share of the samples lies; 0 for none.
double percentile(std::vector<double> samples, double share);

}  // namespace trestle::bench
