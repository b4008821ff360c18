// What does one delivery cost the server, and how late is it? Connects clients to a running server, publishes
// events, waits until every client has every event, and reads the server's CPU time before and after from the
// kernel. Connecting and a first event, which shows that everybody is subscribed, are outside the
// measurement.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <future>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "clients/bench/swarm.h"
#include "tests/bench/peers.h"
#include "tests/bench/process.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string kind = "trestle";
  Processes server;
  Target target;
  std::string events = "tcp://127.0.0.1:5556";
  std::size_t clients = 1'000;
  std::size_t stopped = 0;
  Load load;
  bool idle = false;
  bool round_trip = false;
  bool json = false;
  unsigned patience = 120;  // seconds
};

struct Result {
  double idle_bytes = 0;         // resident, per client
  double idle_socket_bytes = 0;  // in the kernel, both ends, per client
  double grown = 0;              // bytes resident at most, above what there was with idle clients
  double socket_bytes = 0;       // in the kernel at the end, above idle
  double wall = 0;               // seconds
  double cpu = 0;                // seconds
  std::uint64_t deliveries = 0;
  std::uint64_t expected = 0;
  std::uint64_t bytes = 0;
  Histogram latency;  // ns
};

double above(std::uint64_t now, std::uint64_t before) {
  return now > before ? static_cast<double>(now - before) : 0;
}

class Measurement {
 public:
  explicit Measurement(const Options& options) : options_(options), peer_(peers().at(options.kind)) {}

  Result run() {
    connect();
    if (options_.idle) return result_;
    publisher_ = peer_.publisher(options_.events);
    warm_up();
    swarm_.stop_reading(options_.stopped);
    const auto resident = options_.server.resident();
    const auto sockets = socket_memory();
    const auto cpu = options_.server.cpu();
    const auto start = Clock::now();
    options_.round_trip ? go_round() : stream();
    result_.cpu = options_.server.cpu() - cpu;
    result_.wall = std::chrono::duration<double>(Clock::now() - start).count();
    result_.grown = above(options_.server.most_resident(), resident);
    result_.socket_bytes = above(socket_memory(), sockets);
    result_.deliveries = options_.round_trip ? result_.latency.count() : swarm_.events();
    result_.bytes = swarm_.bytes();
    return result_;
  }

 private:
  void connect() {
    const auto resident = options_.server.resident();
    const auto sockets = socket_memory();
    for (std::size_t i = 0; i < options_.clients; ++i) {
      auto target = options_.target;
      const auto topic = i % options_.load.topics;
      peer_.aim(target, topic, options_.load.topics > 1);
      swarm_.add(target, peer_.greeting(i, topic));
    }
    swarm_.read_for(std::chrono::milliseconds(options_.idle ? 2'000 : 200));
    const auto clients = static_cast<double>(options_.clients);
    result_.idle_bytes = above(options_.server.resident(), resident) / clients;
    result_.idle_socket_bytes = above(socket_memory(), sockets) / clients;
  }

  // Some servers answer before they have subscribed the client.
  void warm_up() {
    auto one = options_.load;
    one.count = one.topics;
    one.per_second = 0;
    const auto deadline = Clock::now() + std::chrono::seconds(options_.patience);
    do {
      if (Clock::now() > deadline) throw std::runtime_error("not every client could be subscribed");
      publisher_->publish(one);
    } while (!swarm_.read_until(1, Clock::now() + std::chrono::seconds(2)));
    do {
      swarm_.clear();
      swarm_.read_for(std::chrono::milliseconds(300));
    } while (swarm_.events() > 0);
  }

  void stream() {
    auto published = std::async(std::launch::async, [&] { publisher_->publish(options_.load); });
    const auto each = options_.load.count / options_.load.topics;
    swarm_.read_until(each, Clock::now() + std::chrono::seconds(options_.patience));
    published.get();
    result_.expected = (options_.clients - options_.stopped) * each;
    result_.latency = swarm_.ages();
  }

  void go_round() {
    auto one = options_.load;
    one.count = 1;
    for (std::size_t i = 1; i <= options_.load.count; ++i) {
      const auto start = now_ns();
      publisher_->publish(one);
      if (!swarm_.read_until(i, Clock::now() + std::chrono::seconds(options_.patience))) break;
      result_.latency.add(now_ns() - start);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    result_.expected = options_.load.count;
  }

  const Options& options_;
  const Peer& peer_;
  Swarm swarm_;
  std::unique_ptr<Publisher> publisher_;
  Result result_;
};

double per_delivery(double amount, const Result& result) {
  return result.deliveries == 0 ? 0 : amount / static_cast<double>(result.deliveries);
}

void print_json(const Result& r) {
  const auto ms = [&](double share) { return static_cast<double>(r.latency.at(share)) / 1e6; };
  std::printf(
      "{\"deliveries\":%llu,\"expected\":%llu,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"cpu_us_per_delivery\":%.6f,"
      "\"bytes_per_delivery\":%.2f,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"p999_ms\":%.4f,\"max_ms\":%.4f,"
      "\"idle_bytes_per_client\":%.0f,\"idle_socket_bytes_per_client\":%.0f,\"grown_bytes\":%.0f,"
      "\"socket_bytes\":%.0f}\n",
      static_cast<unsigned long long>(r.deliveries), static_cast<unsigned long long>(r.expected), r.wall,
      r.cpu, per_delivery(r.cpu * 1e6, r), per_delivery(static_cast<double>(r.bytes), r), ms(0.5), ms(0.99),
      ms(0.999), static_cast<double>(r.latency.max()) / 1e6, r.idle_bytes, r.idle_socket_bytes, r.grown,
      r.socket_bytes);
}

void print_text(const Result& r) {
  const auto ms = [&](double share) { return static_cast<double>(r.latency.at(share)) / 1e6; };
  std::printf("idle: %.1f KiB resident per client, %.1f KiB in the kernel's sockets (both ends)\n",
              r.idle_bytes / 1024, r.idle_socket_bytes / 1024);
  if (r.expected == 0) return;
  std::printf("delivered %llu of %llu in %.2f s; server CPU %.2f s, at most %.1f MiB more resident\n",
              static_cast<unsigned long long>(r.deliveries), static_cast<unsigned long long>(r.expected),
              r.wall, r.cpu, r.grown / 1024 / 1024);
  std::printf("%.3f us of server CPU and %.1f bytes per delivery\n", per_delivery(r.cpu * 1e6, r),
              per_delivery(static_cast<double>(r.bytes), r));
  std::printf("latency: p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, longest %.3f ms\n", ms(0.5), ms(0.99),
              ms(0.999), static_cast<double>(r.latency.max()) / 1e6);
}

void add_options(CLI::App& app, Options& options) {
  std::vector<std::string> kinds;
  for (const auto& [name, peer] : peers()) kinds.push_back(name);
  app.add_option("--kind", options.kind, "what kind of server")->check(CLI::IsMember(kinds));
  app.add_option("--pid", options.server.pids, "the server's processes")->required();
  app.add_option("--port", options.target.port, "its WebSocket port");
  app.add_option("--path", options.target.path, "endpoint with its query, for example '/?token=T'");
  app.add_flag("--tls", options.target.secure, "connect to localhost with TLS");
  app.add_option("--cacert", options.target.ca_file, "certificates to trust (PEM)");
  app.add_option("--events", options.events,
                 "where it takes events: tcp://HOST:PORT or, if not ZeroMQ, HOST:PORT");
  app.add_option("--clients", options.clients, "number of clients");
  app.add_option("--stopped", options.stopped, "of these, how many stop reading");
  app.add_option("--count", options.load.count, "number of events");
  app.add_option("--size", options.load.size, "bytes of payload");
  app.add_option("--rate", options.load.per_second, "events a second; 0: as fast as they go");
  app.add_option("--topics", options.load.topics, "different subscriptions; each event matches one");
  app.add_flag("--idle", options.idle, "publish nothing: only the memory of idle clients");
  app.add_flag("--round-trip", options.round_trip, "one event at a time, the next when it has come");
  app.add_flag("--json", options.json, "one line of JSON");
  app.add_option("--patience", options.patience, "seconds until it gives up");
}

}  // namespace
}  // namespace trestle::bench

int main(int argc, char** argv) {
  using namespace trestle::bench;
  Options options;
  CLI::App app{"Load client: what a delivered event costs the server, and how late it is.", "trestle-load"};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.target.secure) options.target.host = "localhost";
    const auto result = Measurement(options).run();
    options.json ? print_json(result) : print_text(result);
    if (result.deliveries < result.expected) throw std::runtime_error("not every event reached every client");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trestle-load: " << error.what() << "\n";
    return 1;
  }
}
