// What those who behave notice while others attack: 200 clients at a steady rate, first in peace, then while
// everything is done to their trestled at once that costs a server something.
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "clients/bench/swarm.h"
#include "tests/bench/attacker.h"
#include "tests/bench/bridge.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Options {
  std::filesystem::path trestled;
  std::size_t clients = 200;
  std::size_t rate = 50;
  double seconds = 15;
  double after = 12;  // longer than a handshake may take, or a client that never reads
  std::size_t kept = 20'000;
  bool judge = true;
  bool beside = false;
};

constexpr double kWithin = 2;  // of the calm value
constexpr std::size_t kEventSize = 200;
constexpr milliseconds kLook{200};
constexpr double kSettle = 2;  // seconds, or as long as is measured
constexpr milliseconds kPatience{30'000};
constexpr double kMega = 1024 * 1024;

// Publishes at a steady rate from its own thread until it ends.
class Steady {
 public:
  Steady(const Bridge& bridge, std::size_t rate) : apart_(std::chrono::nanoseconds(1'000'000'000 / rate)) {
    ProducerOptions options;
    options.id = "steady";
    options.bridges = {bridge.address()};
    producer_ = std::make_unique<Producer>(std::move(options));
    thread_ = std::thread([this] {
      for (auto next = Clock::now(); !ended_; next += apart_) {
        std::this_thread::sleep_until(next);
        producer_->publish(stamped_event("beat", now_ns(), kEventSize));
        ++published_;
      }
    });
  }
  ~Steady() { end(); }
  /// How many were published.
  std::uint64_t end() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
    return published_;
  }

 private:
  const std::chrono::nanoseconds apart_;
  std::unique_ptr<Producer> producer_;
  std::uint64_t published_ = 0;  // the thread's, until it is joined
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

// The clients, and how many events they have got in all, over every clear().
struct Crowd {
  void clear() {
    before += swarm.events();
    swarm.clear();
  }
  std::uint64_t got() const { return before + swarm.events(); }

  Swarm swarm;
  std::uint64_t before = 0;
};

milliseconds in_ms(double seconds) { return milliseconds(static_cast<std::int64_t>(seconds * 1'000)); }

struct Figures {
  double p50 = 0, p99 = 0, longest = 0;  // ms
  double cpu = 0;                        // cores of trestled
  double resident = 0, most = 0;         // MiB, at the end and the most
};

// How long events take to all clients for that long.
Figures measure(const Bridge& live, const Bridge& attacked, Crowd& crowd, milliseconds time) {
  Figures figures;
  const auto cpu = live.cpu();
  const auto begun = Clock::now();
  auto& swarm = crowd.swarm;
  crowd.clear();
  while (Clock::now() - begun < time) {
    swarm.read_for(kLook);
    figures.resident = static_cast<double>(attacked.resident()) / kMega;
    figures.most = std::max(figures.most, figures.resident);
  }
  const auto took = std::chrono::duration<double>(Clock::now() - begun).count();
  figures.cpu = (live.cpu() - cpu) / took;
  const auto ms = [&](double share) { return static_cast<double>(swarm.ages().at(share)) / 1e6; };
  figures.p50 = ms(0.5);
  figures.p99 = ms(0.99);
  figures.longest = static_cast<double>(swarm.ages().max()) / 1e6;
  return figures;
}

void print_phase(const std::string& phase, const Figures& figures) {
  print(phase + ", p50", {figures.p50}, "ms");
  print(phase + ", p99", {figures.p99}, "ms");
  print(phase + ", the longest", {figures.longest}, "ms");
  print(phase + ", trestled of the clients", {figures.cpu}, "cores");
}

void print_attack(const std::vector<Attacker::Done>& all, double seconds, double cpu) {
  print("the attacker's own CPU, lowest priority", {cpu / seconds}, "cores");
  for (const auto& done : all) {
    print("  " + done.name, {static_cast<double>(done.times) / seconds}, "a second");
    if (done.thrown_out != 0)
      print("    of them ended by trestled", {static_cast<double>(done.thrown_out) / seconds}, "a second");
  }
}

// Throws unless every client gets all that was published; the swarm throws if one of them is closed.
void check_nothing_missing(Crowd& crowd, std::uint64_t published) {
  const auto wanted = published * crowd.swarm.size();
  const auto deadline = Clock::now() + kPatience;
  while (crowd.got() < wanted && Clock::now() < deadline) crowd.swarm.read_for(kLook);
  if (crowd.got() != wanted) {
    throw std::runtime_error(std::to_string(crowd.got()) + " deliveries instead of " +
                             std::to_string(wanted));
  }
  print("deliveries in all, none missing", {static_cast<double>(wanted)}, "");
}

void run(const Options& options) {
  Bridge attacked({options.trestled, "trestle.db", "process", 0, "4MiB"});
  Bridge other({options.trestled, "trestle.db", "process", 0, "4MiB"});
  attacked.start();
  if (options.beside) other.start();
  Victim victim{attacked.target(""), "bench", attacked.address()};
  victim.clients.path = "/";
  Attacker attacker(victim);  // before there are threads
  Sources(attacked, 1).publish(options.kept);

  const Bridge& live = options.beside ? other : attacked;
  Crowd crowd;
  auto& swarm = crowd.swarm;
  for (std::size_t i = 0; i < options.clients; ++i) swarm.add(live.target("topics=beat"));
  Steady steady(live, options.rate);
  const auto time = in_ms(options.seconds);
  const auto settle = in_ms(std::min(kSettle, options.seconds));
  swarm.read_for(settle);
  const auto calm = measure(live, attacked, crowd, time);

  const auto begun = Clock::now();
  attacker.begin();
  swarm.read_for(settle);
  const auto attack = measure(live, attacked, crowd, time);
  const auto cpu = attacker.cpu();
  const auto seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  const auto done = attacker.end();
  swarm.read_for(in_ms(options.after));
  const auto after = measure(live, attacked, crowd, time);

  const auto who =
      std::to_string(options.clients) + " clients, " + std::to_string(options.rate) + " events/s";
  print_phase(who + ", calm", calm);
  print_phase(who + ", under attack", attack);
  print_phase(who + ", calm again", after);
  const auto bar = options.judge ? kWithin : 0;
  print("p99 under attack to p99 calm", {attack.p99 / calm.p99}, "times", bar, Better::less);
  print("p50 under attack to p50 calm", {attack.p50 / calm.p50}, "times");
  print("resident, calm", {calm.resident}, "MiB");
  print("resident, under attack, the most", {attack.most}, "MiB");
  print("resident, calm again", {after.resident}, "MiB");
  print_attack(done, seconds, cpu);
  check_nothing_missing(crowd, steady.end());
}

void allow_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace trestle::bench

int main(int argc, char** argv) {
  using namespace trestle::bench;
  Options options;
  options.trestled = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "trestled";
  CLI::App app{"How long events take to clients that behave, in peace and under attack.", "trestle-attack"};
  app.add_option("--trestled", options.trestled, "the program to measure; the one beside this");
  app.add_option("--clients", options.clients, "that behave")->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "events a second, to each of them")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "that each phase is measured")->check(CLI::PositiveNumber);
  app.add_option("--after", options.after, "seconds between the attack and the calm after it");
  app.add_option("--kept", options.kept, "events that attackers may ask for again");
  app.add_flag("--beside", options.beside,
               "the clients are at another trestled than the attack: what the machine alone does to them");
  app.add_flag("!--no-bars", options.judge, "figures only");
  CLI11_PARSE(app, argc, argv);
  try {
    allow_descriptors();
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trestle-attack: " << error.what() << "\n";
    return 1;
  }
}
