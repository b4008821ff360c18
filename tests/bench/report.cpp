#include "tests/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace trestle::bench {
namespace {

std::string number(double value) {
  const char* format = std::abs(value) >= 1'000 ? "%.0f" : std::abs(value) >= 10 ? "%.1f" : "%.3f";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

}  // namespace

void print(const std::string& what, std::vector<double> samples, const std::string& unit, double bar,
           Better better) {
  const auto median = percentile(samples, 0.5);
  std::printf("%-56s %9s %-13s", what.c_str(), number(median).c_str(), unit.c_str());
  if (samples.size() > 1) {
    const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
    std::printf(" %9s to %-9s", number(*least).c_str(), number(*most).c_str());
  } else {
    std::printf(" %22s", "");
  }
  if (bar != 0) {
    const bool met = better == Better::more ? median >= bar : median <= bar;
    std::printf("  %s %s: %s", better == Better::more ? "at least" : "at most", number(bar).c_str(),
                met ? "met" : "MISSED");
  }
  std::printf("\n");
  std::fflush(stdout);
}

double percentile(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto at = static_cast<std::size_t>(share * static_cast<double>(samples.size()));
  return samples[std::min(at, samples.size() - 1)];
}

}  // namespace trestle::bench
