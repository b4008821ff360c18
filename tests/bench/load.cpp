// What does one delivery cost the server? Connects clients to a running trestled, publishes events, waits
// until every client has every event, and reads the server's CPU time before and after from /proc. Connecting
// is outside the measurement.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <future>
#include <iostream>
#include <stdexcept>

#include "tests/bench/clients.h"
#include "tests/bench/cpu.h"
#include "tests/bench/publisher.h"

namespace trestle::bench {
namespace {

struct Options {
  int pid = 0;
  Target target;
  std::string events = "tcp://127.0.0.1:5556";
  std::size_t clients = 1'000;
  std::size_t count = 1'000;
  std::size_t size = 200;
  std::size_t rate = 0;
};

void run(const Options& options) {
  Clients clients(options.target, options.clients);
  Publisher publisher(options.events);
  const auto cpu = cpu_seconds(options.pid);
  const auto start = std::chrono::steady_clock::now();
  auto published =
      std::async(std::launch::async, [&] { publisher.publish(options.count, options.size, options.rate); });
  const auto got = clients.read_until(options.count, start + std::chrono::seconds(120));
  published.get();
  const auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto spent = cpu_seconds(options.pid) - cpu;
  const auto expected = options.clients * options.count;
  std::printf("clients %zu  events %zu  payload %zu B  rate %s\n", options.clients, options.count,
              options.size, options.rate == 0 ? "burst" : (std::to_string(options.rate) + "/s").c_str());
  std::printf("delivered %llu of %zu in %.2f s; server CPU %.2f s\n", static_cast<unsigned long long>(got),
              expected, wall, spent);
  std::printf("%.3f us of server CPU per delivery, %.0f deliveries per CPU-second\n",
              spent * 1e6 / static_cast<double>(got), static_cast<double>(got) / spent);
  if (got < expected) throw std::runtime_error("not every event reached every client");
}

}  // namespace
}  // namespace trestle::bench

int main(int argc, char** argv) {
  using namespace trestle::bench;
  Options options;
  CLI::App app{"Load client: server CPU per delivered event.", "trestle-load"};
  app.add_option("--pid", options.pid, "the trestled to measure")->required();
  app.add_option("--port", options.target.port, "its WebSocket port");
  app.add_option("--path", options.target.path, "endpoint with its query, for example '/?token=T'");
  app.add_option("--events", options.events, "its event socket");
  app.add_option("--clients", options.clients, "number of clients");
  app.add_option("--count", options.count, "number of events");
  app.add_option("--size", options.size, "bytes of payload");
  app.add_option("--rate", options.rate, "events a second; 0: as fast as they go");
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trestle-load: " << error.what() << "\n";
    return 1;
  }
}
