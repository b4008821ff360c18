// One client comes back with a cursor and is given 100,000 events; every offset must rise, none be missing.
#include <chrono>
#include <stdexcept>

#include "tests/bench/measurements.h"
#include "tests/bench/reader.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kEvents = 100'000;
constexpr std::size_t kProducers = 4;

// Seconds from connecting to the last event. Offsets are dense here: nothing else is published.
double resume(const Bridge& bridge) {
  const auto begun = Clock::now();
  Reader reader(bridge.target("meta=1&topics=bench&since=0"));
  reader.next_notice("welcome");
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const auto offset = number_in(reader.next(), "offset");
    if (offset <= before) throw std::runtime_error("offset " + std::to_string(offset) + " does not rise");
    before = offset;
  }
  const auto end = Clock::now();
  const auto live = reader.next();  // and not one event more
  if (string_in(live, "type") != "live" || number_in(live, "offset") < before) {
    throw std::runtime_error("not live after " + std::to_string(kEvents) + " events: " + std::string(live));
  }
  return std::chrono::duration<double>(end - begun).count();
}

void report(const std::string& name, const BridgeOptions& options, std::size_t repeat) {
  Bridge bridge(options);
  bridge.start();
  Sources(bridge, kProducers).publish(kEvents);
  std::vector<double> per_second;
  std::vector<double> cpu;
  for (std::size_t i = 0; i < 3 * repeat; ++i) {
    const auto before = bridge.cpu();
    per_second.push_back(static_cast<double>(kEvents) / resume(bridge));
    cpu.push_back((bridge.cpu() - before) * 1e6 / static_cast<double>(kEvents));
  }
  constexpr double kBar = 300'000;
  print("resume of 100,000 events, one client, " + name, per_second, "events/s", kBar);
  print("  trestled's CPU per event", cpu, "us");
}

}  // namespace

void measure_resume(const Run& run) {
  report("journal", {run.trestled, "trestle.db", "process", kEvents}, run.repeat);
  report("memory", {run.trestled, ":memory:", "process", kEvents}, run.repeat);
}

}  // namespace trestle::bench
