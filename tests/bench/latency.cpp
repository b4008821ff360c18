// From publish() to the client's hands at 1,000 events/s. Three bridges, without a journal and with both
// kinds of durability, are asked in turn, a second each, so that what else the machine does meets all alike.
#include <array>
#include <chrono>
#include <thread>

#include "clients/bench/stamp.h"
#include "tests/bench/measurements.h"
#include "tests/bench/reader.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kEvents = 1'000;  // a round
constexpr std::chrono::microseconds kApart{1'000};
constexpr std::size_t kRounds = 4;  // per repeat

ProducerOptions options_for(const Bridge& bridge) {
  ProducerOptions options;
  options.id = "latency";
  options.bridges = {bridge.address()};
  return options;
}

class Path {
 public:
  explicit Path(const BridgeOptions& options)
      : bridge_(options),
        ready_(bridge_.start()),
        reader_(bridge_.target("topics=bench")),
        producer_(options_for(bridge_)) {
    producer_.publish(bench_event("t", now_ns()));
    reader_.next();  // the way is open; not counted
  }

  void round() {
    std::thread reading([this] {
      for (std::size_t i = 0; i < kEvents; ++i) {
        const auto sent = number_in(reader_.next(), "t");
        milliseconds_.push_back(static_cast<double>(now_ns() - sent) / 1e6);
      }
    });
    const auto cpu = bridge_.cpu();
    const auto start = Clock::now();
    for (std::size_t i = 0; i < kEvents; ++i) {
      std::this_thread::sleep_until(start + kApart * i);
      producer_.publish(bench_event("t", now_ns()));
    }
    reading.join();
    cpu_ += bridge_.cpu() - cpu;
  }

  double at(double share) { return percentile(milliseconds_, share); }
  double cpu_per_event() const { return cpu_ * 1e6 / static_cast<double>(milliseconds_.size()); }

 private:
  Bridge bridge_;
  double ready_;
  Reader reader_;
  Producer producer_;
  std::vector<double> milliseconds_;
  double cpu_ = 0;
};

void report(const std::string& name, Path& path) {
  print("latency at 1,000 events/s, " + name + ", p50", {path.at(0.5)}, "ms");
  print("  p99", {path.at(0.99)}, "ms");
  print("  trestled's CPU per event", {path.cpu_per_event()}, "us");
}

}  // namespace

void measure_latency(const Run& run) {
  Path memory({run.trestled, ":memory:"});
  Path process({run.trestled, "trestle.db", "process"});
  Path power({run.trestled, "trestle.db", "power"});
  for (std::size_t i = 0; i < kRounds * run.repeat; ++i) {
    for (auto* path : {&memory, &process, &power}) path->round();
  }
  report("memory", memory);
  report("journal", process);
  report("journal, power", power);
  constexpr double kBar = 1;
  print("latency that the journal adds, p50", {process.at(0.5) - memory.at(0.5)}, "ms", kBar, Better::less);
  print("latency that durability: power adds to that, p50", {power.at(0.5) - process.at(0.5)}, "ms");
}

}  // namespace trestle::bench
