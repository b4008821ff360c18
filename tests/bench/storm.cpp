// What a crowd that arrives at once does to those who are live already, and what each of a crowd costs that
// says nothing: a trestled of its own for each measurement, on free ports.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "clients/bench/stamp.h"
#include "tests/bench/bridge.h"
#include "tests/bench/reader.h"
#include "tests/bench/report.h"
#include "tests/bench/sources.h"
#include "tests/bench/storm_clients.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::filesystem::path trestled;
  std::size_t resuming = 1'000;
  std::size_t joining = 10'000;
  std::size_t idle = 10'000;
  std::size_t events = 10'000;
  std::size_t topics = 2'000;
  std::size_t rate = 200;
  double calm = 5;
  bool judge = true;
  bool beside = false;
};

constexpr double kWithin = 3;  // of the calm value
constexpr double kIdleBytes = 5 * 1024;

// Somebody who is live: events at a steady rate, and how long each takes to one client. They run ahead of the
// storm's own thread where both want a core: the server is measured, not who measures it.
class Live {
 public:
  Live(const Bridge& bridge, std::size_t rate)
      : apart_(std::chrono::nanoseconds(1'000'000'000 / rate)), reader_(bridge.target("topics=beat")) {
    ProducerOptions options;
    options.id = "live";
    options.bridges = {bridge.address()};
    producer_ = std::make_unique<Producer>(std::move(options));
    publish();
    reader_.next();  // the way is open
    reading_ = std::thread([this] { read(); });
    publishing_ = std::thread([this] {
      for (auto next = Clock::now(); !ended_; next += apart_) {
        std::this_thread::sleep_until(next);
        publish();
      }
      producer_->publish(R"({"type":"beat","end":1})");
    });
  }

  ~Live() {
    ended_ = true;
    publishing_.join();
    reading_.join();
  }

  /// The milliseconds of the events since the last call.
  std::vector<double> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(milliseconds_, {});
  }

 private:
  void publish() {
    producer_->publish(R"({"type":"beat","pad":")" + std::string(150, 'x') + R"(","t":)" +
                       std::to_string(now_ns()) + "}");
  }

  void read() {
    try {
      for (;;) {
        const auto text = reader_.next();
        if (text.find("\"end\"") != std::string_view::npos) return;
        const auto took = static_cast<double>(now_ns() - number_in(text, "t")) / 1e6;
        const std::lock_guard<std::mutex> lock(mutex_);
        milliseconds_.push_back(took);
      }
    } catch (const std::exception& error) {
      std::cerr << "trestle-storm: the live client: " << error.what() << "\n";
      std::_Exit(1);
    }
  }

  const std::chrono::nanoseconds apart_;
  Reader reader_;
  std::unique_ptr<Producer> producer_;
  std::mutex mutex_;
  std::vector<double> milliseconds_;  // guarded by mutex_
  std::atomic<bool> ended_{false};
  std::thread reading_, publishing_;
};

void stand_back() {
  constexpr int kNice = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

void report(const std::string& name, const std::vector<double>& calm, const std::vector<double>& storm,
            double seconds, bool judge) {
  print(name + ", on the clock", {seconds}, "s");
  for (const double share : {0.5, 0.99}) {
    const auto which = share < 0.9 ? ", live p50" : ", live p99";
    const auto bar = judge && share > 0.9 ? kWithin * percentile(calm, share) : 0;
    print(name + which + ", calm", {percentile(calm, share)}, "ms");
    print(name + which + ", in the storm", {percentile(storm, share)}, "ms", bar, Better::less);
  }
  print(name + ", live, the longest in the storm", {percentile(storm, 1)}, "ms");
}

// With --beside the live client is at a trestled of its own: what the storm then does to it, the machine
// does.
void storm(const std::string& name, const Bridge& bridge, const Options& options, const std::string& query,
           StormClients::Wanted wanted) {
  Bridge other({options.trestled, "trestle.db"});
  if (options.beside) other.start();
  Live live(options.beside ? other : bridge, options.rate);
  const std::chrono::duration<double> calm_time(options.calm);
  std::this_thread::sleep_for(calm_time / 4);
  live.take();
  std::this_thread::sleep_for(calm_time);
  const auto calm = live.take();
  const auto begun = Clock::now();
  std::exception_ptr wrong;
  std::thread storming([&] {
    stand_back();
    try {
      StormClients(bridge.target(query), wanted).run();
    } catch (...) {
      wrong = std::current_exception();
    }
  });
  storming.join();
  const auto seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  if (wrong) std::rethrow_exception(wrong);
  report(name, calm, live.take(), seconds, options.judge);
}

void measure_resume(const Options& options) {
  Bridge bridge({options.trestled, "trestle.db", "process", options.events});
  bridge.start();
  Sources(bridge, 1).publish(options.events);
  const auto name =
      std::to_string(options.resuming) + " resume " + std::to_string(options.events) + " events";
  storm(name, bridge, options, "meta=1&topics=bench&since=0",
        {options.resuming, options.events, options.resuming});
}

void measure_join(const Options& options) {
  Bridge bridge({options.trestled, "trestle.db"});
  bridge.start();
  Sources(bridge, 1).publish_topics(options.topics);
  const auto name = std::to_string(options.joining) + " join " + std::to_string(options.topics) + " topics";
  storm(name, bridge, options, "meta=1&topics=command-progress.*", {options.joining, options.topics});
}

void measure_idle(const Options& options) {
  Bridge bridge({options.trestled, ":memory:"});
  bridge.start();
  const auto before = bridge.resident();
  StormClients clients(bridge.target("topics=beat&meta=1"), {options.idle, 0});
  clients.run();
  const auto each = static_cast<double>(bridge.resident() - before) / static_cast<double>(options.idle);
  print(std::to_string(options.idle) + " idle connections, resident, each", {each}, "bytes",
        options.judge ? kIdleBytes : 0, Better::less);
}

}  // namespace
}  // namespace trestle::bench

int main(int argc, char** argv) {
  using namespace trestle::bench;
  const std::vector<std::pair<std::string, std::function<void(const Options&)>>> all = {
      {"resume", measure_resume}, {"join", measure_join}, {"idle", measure_idle}};
  std::vector<std::string> names;
  for (const auto& [name, measure] : all) names.push_back(name);
  Options options;
  options.trestled = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "trestled";
  std::vector<std::string> wanted;
  CLI::App app{"Crowds: live latency while they arrive, and memory of those who are silent.",
               "trestle-storm"};
  app.add_option("measurement", wanted, "which; all if none is named")->check(CLI::IsMember(names));
  app.add_option("--trestled", options.trestled, "the program to measure; the one beside this");
  app.add_option("--resuming", options.resuming, "clients that come back at once with a cursor");
  app.add_option("--joining", options.joining, "clients that join, one after the other, and stay");
  app.add_option("--idle", options.idle, "connections whose memory is measured");
  app.add_option("--events", options.events, "that each who comes back has missed");
  app.add_option("--topics", options.topics, "in the snapshot of each who joins");
  app.add_option("--rate", options.rate, "live events a second")->check(CLI::PositiveNumber);
  app.add_option("--calm", options.calm, "seconds before the storm");
  app.add_flag("--beside", options.beside,
               "the live client is at another trestled than the storm: what the machine alone does to it");
  app.add_flag("!--no-bars", options.judge, "figures only: the run is too small to judge them");
  CLI11_PARSE(app, argc, argv);
  if (wanted.empty()) wanted = names;
  try {
    for (const auto& [name, measure] : all) {
      if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) measure(options);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trestle-storm: " << error.what() << "\n";
    return 1;
  }
}
