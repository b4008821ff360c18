#include "tests/bench/sources.h"

#include <future>
#include <stdexcept>

namespace trestle::bench {
namespace {

constexpr std::chrono::minutes kPatience{2};

void flush(Producer& producer) {
  const auto flushed = producer.flush(kPatience);
  if (!flushed.complete) throw std::runtime_error("not everything was acked: " + flushed.why);
  if (!flushed.lost.empty()) throw std::runtime_error("events were lost");
}

void publish_all(Producer& producer, std::size_t events) {
  for (std::size_t i = 0; i < events; ++i) producer.publish(bench_event("n", i));
  flush(producer);
}

}  // namespace

std::string bench_event(const std::string& name, std::uint64_t number, std::size_t size) {
  std::string event = R"({"type":"bench",")" + name + "\":" + std::to_string(number) + R"(,"pad":")";
  if (event.size() + 2 < size) event.append(size - event.size() - 2, 'x');
  return event + "\"}";
}

Sources::Sources(const Bridge& bridge, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ProducerOptions options;
    options.id = "bench-" + std::to_string(i);
    options.bridges = {bridge.address()};
    producers_.push_back(std::make_unique<Producer>(std::move(options)));
  }
}

void Sources::publish(std::size_t events) {
  std::vector<std::future<void>> running;
  for (auto& producer : producers_) {
    running.push_back(
        std::async(std::launch::async, publish_all, std::ref(*producer), events / producers_.size()));
  }
  for (auto& one : running) one.get();
}

void Sources::publish_topics(std::size_t topics) {
  const auto pad = std::string(140, 'x');
  for (std::size_t i = 0; i < topics; ++i) {
    producers_.front()->publish(R"({"type":"command-progress","id":)" + std::to_string(i) + R"(,"pad":")" +
                                pad + R"("})");
  }
  flush(*producers_.front());
}

}  // namespace trestle::bench
