#include "clients/cli/bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <thread>

#include "clients/bench/pace.h"
#include "clients/bench/stamp.h"
#include "clients/bench/swarm.h"
#include "clients/cli/advice.h"
#include "clients/cli/event_sink.h"
#include "clients/cli/stop_signal.h"
#include "clients/cli/target.h"
#include "clients/cli/topics.h"

namespace trestle::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kType = "trestle-bench";
constexpr milliseconds kPatience{10'000};  // without any progress
constexpr milliseconds kSlice{100};        // between two looks at whether to stop

/// Each client is a descriptor, and this program needs a few itself.
void need_descriptors(std::uint64_t clients) {
  constexpr std::uint64_t kOwn = 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (clients + kOwn <= limit.rlim_cur) return;
  throw Failure(Exit::usage, std::to_string(clients) + " clients need as many descriptors and " +
                                 std::to_string(kOwn) + " more; this process may have " +
                                 std::to_string(limit.rlim_cur) + " (ulimit -Hn)");
}

/// The port behind the host, or the scheme's; brackets around an IPv6 address go.
void split_authority(const Target& from, bench::Target& to) {
  const std::string& authority = from.authority;
  const auto end = authority.rfind(']');
  const auto colon = authority.find(':', end == std::string::npos ? 0 : end);
  to.host = authority.substr(0, colon);
  if (end != std::string::npos && to.host.size() > 2) to.host = to.host.substr(1, to.host.size() - 2);
  to.port = from.secure ? 443 : 80;
  if (colon == std::string::npos) return;
  const auto port = std::strtoul(authority.c_str() + colon + 1, nullptr, 10);
  if (port == 0 || port > 65'535) throw Failure(Exit::usage, "no port in " + authority);
  to.port = static_cast<std::uint16_t>(port);
}

bench::Target target_of(const BenchOptions& options) {
  auto target = parse_target(options.url);
  if (!target) throw Failure(Exit::usage, target.error().message);
  bench::Target out;
  split_authority(*target, out);
  const auto topics = options.events.empty() ? joined_topics(options.patterns) : kType;
  const auto url = websocket_url(*target, topics.empty() ? Query{} : Query{{"topics", topics}});
  out.path = url.substr(url.find('/', url.find("://") + 3));
  const auto& token = options.token.empty() ? target->token : options.token;
  if (!token.empty()) out.headers = "Authorization: Bearer " + token + "\r\n";
  out.secure = target->secure;
  out.ca_file = options.ca_file;
  return out;
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}

  Exit run() {
    if (!options_.events.empty() && !options_.patterns.empty()) {
      throw Failure(Exit::usage, "patterns are for listening only; with --events the clients get its events");
    }
    need_descriptors(options_.clients);
    connect();
    options_.events.empty() ? listen() : publish();
    options_.json ? print_json() : print_text();
    if (swarm_.events() < expected_) throw Failure(Exit::failed, "not every event reached every client");
    return Exit::ok;
  }

 private:
  void stop_if_asked() const {
    if (stop_.requested()) throw Failure(Exit::failed, "stopped before the end");
  }

  void connect() {
    const auto target = target_of(options_);
    for (std::uint64_t i = 0; i < options_.clients; ++i) {
      stop_if_asked();
      swarm_.add(target);
    }
  }

  void listen() {
    swarm_.clear();
    const auto start = Clock::now();
    while (Clock::now() < start + milliseconds(options_.for_ms) && !stop_.requested())
      swarm_.read_for(kSlice);
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
  }

  void publish() {
    ProducerOptions target;
    target.bridges.front().events = options_.events;
    const auto sink = plain_sink(target, kType, kPatience, stop_);
    warm_up(*sink);
    const auto start = Clock::now();
    auto published = std::async(std::launch::async, [&] { publish_all(*sink); });
    wait_for_all();
    published.get();
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    expected_ = options_.clients * options_.count;
    sink->finish();
  }

  // Not measured: shows that the events come out where the clients are.
  void warm_up(EventSink& sink) {
    swarm_.clear();
    sink.publish(bench::stamped_event(kType, bench::now_ns(), options_.size));
    if (!swarm_.read_until(1, Clock::now() + kPatience)) {
      throw Failure(Exit::failed, "the first event did not reach every client within " +
                                      std::to_string(kPatience.count() / 1000) + " s: is " + options_.events +
                                      " this bridge's, and may the token read the topic " + kType + "?");
    }
    swarm_.clear();
  }

  void publish_all(EventSink& sink) const {
    const bench::Pace pace(options_.rate);
    for (std::uint64_t i = 0; i < options_.count; ++i) {
      const auto due = pace.due(i);
      while (Clock::now() < due) {
        stop_if_asked();
        std::this_thread::sleep_until(std::min(due, Clock::now() + kSlice));
      }
      sink.publish(bench::stamped_event(kType, bench::ns_of(due), options_.size));
    }
  }

  void wait_for_all() {
    auto progress = Clock::now();
    std::uint64_t before = 0;
    // Between two events of a slow rate nothing comes, and that is fine.
    const auto patience = kPatience + milliseconds(options_.rate == 0 ? 0 : 1'000 / options_.rate);
    while (!swarm_.read_until(options_.count, Clock::now() + kSlice)) {
      if (stop_.requested()) return;
      if (swarm_.events() > before) progress = Clock::now();
      before = swarm_.events();
      if (Clock::now() - progress > patience) return;
    }
  }

  std::uint64_t deliveries() const { return options_.events.empty() ? swarm_.messages() : swarm_.events(); }
  double per_second(std::uint64_t amount) const { return static_cast<double>(amount) / seconds_; }
  double ms(double share) const { return static_cast<double>(swarm_.ages().at(share)) / 1e6; }

  void print_text() const {
    std::printf("%llu deliveries to %zu clients in %.2f s: %.0f/s, %.1f MB/s\n",
                static_cast<unsigned long long>(deliveries()), swarm_.size(), seconds_,
                per_second(deliveries()), per_second(swarm_.bytes()) / 1e6);
    if (options_.events.empty()) return;
    std::printf("latency: p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, longest %.3f ms\n", ms(0.5), ms(0.99),
                ms(0.999), ms(1));
  }

  void print_json() const {
    std::printf(
        "{\"clients\":%zu,\"seconds\":%.3f,\"deliveries\":%llu,\"deliveries_per_second\":%.0f,"
        "\"bytes_per_second\":%.0f",
        swarm_.size(), seconds_, static_cast<unsigned long long>(deliveries()), per_second(deliveries()),
        per_second(swarm_.bytes()));
    if (!options_.events.empty()) {
      std::printf(",\"expected\":%llu,\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"max\":%.3f}",
                  static_cast<unsigned long long>(expected_), ms(0.5), ms(0.99), ms(0.999), ms(1));
    }
    std::printf("}\n");
  }

  const BenchOptions& options_;
  const StopSignal stop_;
  bench::Swarm swarm_;
  std::uint64_t expected_ = 0;  // deliveries; 0 when only listening
  double seconds_ = 0;
};

}  // namespace

Exit run_bench(const BenchOptions& options) {
  try {
    return Bench(options).run();
  } catch (const bench::Refusal& refusal) {
    const std::string text = refusal.what();
    switch (refusal.code) {
      case 401:
      case 4401: throw Failure(Exit::refused, text + ": " + kTokenAdvice);
      case 403:
      case 4403: throw Failure(Exit::refused, text);
      default: throw Failure(Exit::failed, text);
    }
  }
}

}  // namespace trestle::cli
