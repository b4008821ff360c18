// What publish() costs the thread that calls it, connected to a real bridge: its CPU time, and the time on
// the clock, which on a busy machine includes whoever else had the core.
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <thread>

#include "tests/bench/measurements.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBurst = 200'000;
constexpr std::size_t kPaced = 2'000;
constexpr std::chrono::microseconds kApart{1'000};
constexpr std::chrono::minutes kPatience{1};

double thread_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double wall_us() {
  return std::chrono::duration<double, std::micro>(Clock::now().time_since_epoch()).count();
}

void flush(Producer& producer) {
  if (!producer.flush(kPatience).complete) throw std::runtime_error("not everything was acked");
}

std::vector<std::string> events(std::size_t count) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(bench_event("n", i));
  return made;
}

struct Cost {
  double cpu = 0;
  double wall = 0;
};

// As fast as they go; the whole burst fits the buffer, so nothing waits for acks.
Cost burst(Producer& producer) {
  auto made = events(kBurst);
  const auto cpu = thread_us();
  const auto wall = wall_us();
  for (auto& event : made) producer.publish(std::move(event));
  const Cost cost{(thread_us() - cpu) / kBurst, (wall_us() - wall) / kBurst};
  flush(producer);
  return cost;
}

// 1,000 a second: the producer's own thread sleeps in between and must be woken each time.
std::vector<double> paced(Producer& producer) {
  std::vector<double> each;
  const auto start = Clock::now();
  auto made = events(kPaced);
  for (std::size_t i = 0; i < kPaced; ++i) {
    std::this_thread::sleep_until(start + kApart * i);
    const auto before = wall_us();
    producer.publish(std::move(made[i]));
    each.push_back(wall_us() - before);
  }
  flush(producer);
  return each;
}

}  // namespace

void measure_publish(const Run& run) {
  Bridge bridge({run.trestled, ":memory:"});
  bridge.start();
  ProducerOptions options;
  options.id = "publish";
  options.bridges = {bridge.address()};
  options.buffer_events = 2 * kBurst;
  Producer producer(std::move(options));
  producer.publish(bench_event("n", 0));
  flush(producer);
  std::vector<double> cpu;
  std::vector<double> wall;
  for (std::size_t i = 0; i < 3 * run.repeat; ++i) {
    const auto cost = burst(producer);
    cpu.push_back(cost.cpu);
    wall.push_back(cost.wall);
  }
  const auto each = paced(producer);
  constexpr double kBar = 1;
  print("publish(), burst of 200,000, caller's CPU", cpu, "us", kBar, Better::less);
  print("  on the clock", wall, "us");
  print("publish(), 1,000/s, with the wake-up, on the clock, p50", {percentile(each, 0.5)}, "us");
  print("  p99", {percentile(each, 0.99)}, "us");
}

}  // namespace trestle::bench
