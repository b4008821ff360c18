#pragma once
#include <string>
#include <vector>

namespace trestle::bench {

/// One line of the table: a figure and, where there is one, the bar that it must reach.
struct Figure {
  std::string what;
  double value = 0;
  std::string unit;
  double bar = 0;  ///< 0: none
  enum class Better { more, less } better = Better::more;
};

/// Prints a line: what, figure, bar, and whether it was reached.
void print(const Figure& figure);

/// The value below which the given share of the samples lies; sorts them. 0 for none.
double percentile(std::vector<double>& samples, double share);
/// The middle one.
double median(std::vector<double> samples);

}  // namespace trestle::bench
