#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace trestle::bench {
namespace {

std::string number(double value, const std::string& unit) {
  const char* format = std::abs(value) >= 1'000 ? "%.0f %s" : std::abs(value) >= 10 ? "%.1f %s" : "%.3f %s";
  char text[64];
  std::snprintf(text, sizeof text, format, value, unit.c_str());
  return text;
}

}  // namespace

void print(const Figure& figure) {
  std::printf("%-62s %22s", figure.what.c_str(), number(figure.value, figure.unit).c_str());
  if (figure.bar != 0) {
    const bool more = figure.better == Figure::Better::more;
    const bool met = more ? figure.value >= figure.bar : figure.value <= figure.bar;
    std::printf("   %s %s: %s", more ? "at least" : "at most", number(figure.bar, figure.unit).c_str(),
                met ? "met" : "MISSED");
  }
  std::printf("\n");
  std::fflush(stdout);
}

double percentile(std::vector<double>& samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto at = static_cast<std::size_t>(share * static_cast<double>(samples.size()));
  return samples[std::min(at, samples.size() - 1)];
}

double median(std::vector<double> samples) { return percentile(samples, 0.5); }

}  // namespace trestle::bench
