// Ingest in the steady state: the log is full before the measurement begins, so every event that comes in
// makes another one leave, from memory and from the journal.
#include <chrono>

#include "tests/bench/measurements.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

constexpr std::size_t kProducers = 4;

struct Case {
  const char* name;
  BridgeOptions bridge;
  std::size_t retained;
  std::size_t events;  // at least ten times as many as are retained
  double bar;
};

struct Result {
  double per_cpu_second = 0;
  double per_second = 0;
  std::uint64_t disk = 0;
};

Result measure(const Case& one, const Run& run) {
  Bridge bridge(one.bridge);
  bridge.start();
  Sources sources(bridge, kProducers);
  sources.publish(one.retained + one.retained / 4);
  const auto events = static_cast<std::size_t>(static_cast<double>(one.events) * run.scale);
  const auto cpu = bridge.cpu();
  const auto begun = std::chrono::steady_clock::now();
  sources.publish(events);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  const auto spent = bridge.cpu() - cpu;
  return {static_cast<double>(events) / spent, static_cast<double>(events) / wall.count(), bridge.disk()};
}

void report(const Case& one, const Run& run) {
  std::vector<double> per_cpu_second;
  std::vector<double> per_second;
  std::uint64_t disk = 0;
  for (std::size_t i = 0; i < run.repeat; ++i) {
    const auto result = measure(one, run);
    per_cpu_second.push_back(result.per_cpu_second);
    per_second.push_back(result.per_second);
    disk = result.disk;
  }
  const std::string name = one.name;
  print("ingest, " + name, per_cpu_second, "events/CPU-s", one.bar);
  print("  on the clock, the producers on the same cores", per_second, "events/s");
  if (one.bridge.stream != ":memory:") print("  files at the end", {static_cast<double>(disk) / 1e6}, "MB");
}

}  // namespace

void measure_ingest(const Run& run) {
  const BridgeOptions journal{run.trestled, "trestle.db", "process", 20'000};
  const BridgeOptions power{run.trestled, "trestle.db", "power", 20'000};
  const BridgeOptions memory{run.trestled, ":memory:", "process", 20'000};
  const BridgeOptions defaults{run.trestled};
  const BridgeOptions defaults_memory{run.trestled, ":memory:"};
  for (const auto& one :
       {Case{"journal, 20,000 retained", journal, 20'000, 400'000, 150'000},
        Case{"memory, 20,000 retained", memory, 20'000, 400'000, 300'000},
        Case{"journal, built-in policies (100,000)", defaults, 100'000, 1'000'000, 150'000},
        Case{"memory, built-in policies (100,000)", defaults_memory, 100'000, 1'000'000, 300'000},
        Case{"journal, power, 20,000 retained", power, 20'000, 400'000, 0}}) {
    report(one, run);
  }
}

}  // namespace trestle::bench
