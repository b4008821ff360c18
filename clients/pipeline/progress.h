#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trestle::pipeline {

/// What one piece of a tool's output (the text between two of \r, \n and \b) says about progress, in percent.
/// Pure; nothing when the piece is about something else or is not whole yet.
std::optional<double> seven_zip_percentage(std::string_view piece);  ///< "  5% + a.bin", " 12% 3 U b.bin"
std::optional<double> par2_percentage(
    std::string_view piece);  ///< "Processing: 12.3%"; not "Constructing: …"
std::optional<double> curl_percentage(std::string_view piece);  ///< "####      45.3%" (--progress-bar)

/// Reads a tool's output as it comes, in chunks cut anywhere, and says how far the step is.
using ProgressReader = std::function<std::optional<double>(std::string_view chunk)>;

/// The newest percentage that `parse` finds in each chunk.
ProgressReader read_with(std::optional<double> (*parse)(std::string_view piece));

/// curl draws one bar per file, each ended by a newline: weighs them by the files' sizes into one percentage.
ProgressReader read_uploads(std::vector<std::uint64_t> sizes);

/// Decides which readings are worth an event: rising ones only, the first at once, then at most one per
/// `interval`. 100 is not a reading: the step's end says it, so a tool that fails at its last byte never
/// claims success.
class ProgressGate {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit ProgressGate(std::chrono::milliseconds interval) : interval_(interval) {}
  bool admit(double percentage, Time now);

 private:
  std::chrono::milliseconds interval_;
  double last_ = -1;
  Time next_{};
};

}  // namespace trestle::pipeline
