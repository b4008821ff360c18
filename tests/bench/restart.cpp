// A journal of 1,000,000 events: from exec until /readyz says yes and a client with a cursor has what it
// missed.
#include <chrono>
#include <stdexcept>

#include "tests/bench/measurements.h"
#include "tests/bench/reader.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

constexpr std::size_t kEvents = 1'000'000;
constexpr std::size_t kProducers = 4;
constexpr std::uint64_t kMissed = 1'000;

// What a client that missed the newest part of the stream must be given: the same before the restart and
// after it, in the same epoch.
struct Missed {
  std::string cursor;
  std::vector<std::uint64_t> offsets;
};

std::vector<std::uint64_t> resume(const Bridge& bridge, const std::string& cursor) {
  Reader reader(bridge.target("meta=1&topics=bench&since=" + cursor));
  reader.next_notice("welcome");
  std::vector<std::uint64_t> offsets;
  for (;;) {
    const auto text = reader.next();
    const auto type = string_in(text, "type");
    if (type == "live") return offsets;
    if (type != "bench") throw std::runtime_error("a resume was interrupted: " + std::string(text));
    offsets.push_back(number_in(text, "offset"));
  }
}

Missed newest(const Bridge& bridge) {
  Reader reader(bridge.target("meta=1&topics="));
  const auto welcome = reader.next_notice("welcome");
  const auto after = number_in(welcome, "offset") - kMissed;
  Missed missed{std::string(string_in(welcome, "epoch")) + ":" + std::to_string(after), {}};
  missed.offsets = resume(bridge, missed.cursor);
  if (missed.offsets.empty()) throw std::runtime_error("nothing to resume");
  return missed;
}

struct Start {
  double wall = 0;  // seconds
  double cpu = 0;
};

Start serving_again(Bridge& bridge, const Missed& missed) {
  const auto begun = std::chrono::steady_clock::now();
  bridge.start();
  if (resume(bridge, missed.cursor) != missed.offsets) {
    throw std::runtime_error("not the same events after the restart");
  }
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), bridge.cpu()};
}

void report(std::size_t events, const std::string& how, const std::vector<Start>& starts) {
  std::vector<double> wall;
  std::vector<double> cpu;
  for (const auto& start : starts) {
    wall.push_back(start.wall);
    cpu.push_back(start.cpu);
  }
  constexpr double kBar = 2;
  print("restart with " + std::to_string(events) + " events, " + how, wall, "s", kBar, Better::less);
  print("  its CPU", cpu, "s");
}

}  // namespace

void measure_restart(const Run& run) {
  const auto events = static_cast<std::size_t>(kEvents * run.scale);
  Bridge bridge({run.trestled, "trestle.db", "process", events});
  bridge.start();
  Sources(bridge, kProducers).publish(events);
  const auto missed = newest(bridge);
  std::vector<Start> orderly;
  std::vector<Start> killed;
  std::vector<Start> cold;
  for (std::size_t i = 0; i < run.repeat; ++i) {
    bridge.stop();
    orderly.push_back(serving_again(bridge, missed));
    bridge.kill();
    killed.push_back(serving_again(bridge, missed));
    bridge.stop();
    bridge.drop_from_cache();
    cold.push_back(serving_again(bridge, missed));
  }
  report(events, "after SIGTERM", orderly);
  report(events, "after kill -9", killed);
  report(events, "not in the page cache", cold);
  print("  journal", {static_cast<double>(bridge.disk()) / 1e6}, "MB");
}

}  // namespace trestle::bench
