// What compressing one event costs and saves, by zlib's level and memory: a table for tests/bench/README.md.
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bridge/core/deflate.h"

namespace {

// Events as producers make them: the same members, other values; one object in `data` for each 200 bytes or
// so.
std::string event_of(std::size_t size, unsigned number) {
  std::string text = R"({"type":"command-progress","id":)" + std::to_string(number) + R"(,"steps":[)";
  unsigned random = number * 2654435761u + 1;
  while (text.size() + 160 < size || text.back() == '[') {
    random = random * 1664525u + 1013904223u;
    if (text.back() != '[') text += ',';
    text += R"({"name":"volume)" + std::to_string(random >> 20) +
            R"(.7z","state":"compressing","progress":)" + std::to_string(random % 1000) + R"(,"bytes":)" +
            std::to_string(random) + R"(,"eta_s":)" + std::to_string(random >> 24) + "}";
  }
  text += R"(],"note":")";
  while (text.size() + 2 < size) {
    random = random * 1664525u + 1013904223u;
    text += static_cast<char>('a' + random % 26);
  }
  return text + "\"}";
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

void measure(std::size_t size, int level, int memory) {
  trestle::Deflater deflater(level, memory);
  std::vector<std::string> events;
  for (unsigned i = 0; i < 64; ++i) events.push_back(event_of(size, i));
  const std::size_t rounds = 16'000'000 / size;
  std::size_t in = 0;
  std::size_t sent = 0;
  std::string out;
  const double begin = cpu_seconds();
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto& event = events[i % events.size()];
    out.clear();
    deflater.deflate(event, out);
    in += event.size();
    sent += out.empty() ? event.size() : out.size();
  }
  const double spent = cpu_seconds() - begin;
  std::printf("| %zu | %d | %d | %.1f µs | %.0f %% |\n", size, level, memory,
              spent * 1e6 / static_cast<double>(rounds),
              100.0 * static_cast<double>(sent) / static_cast<double>(in));
}

}  // namespace

int main() {
  std::printf("| bytes | level | memory | CPU per event | sent |\n|---|---|---|---|---|\n");
  for (const std::size_t size : {200u, 1024u, 4096u, 65536u}) {
    for (const int level : {1, 3, 6, 9}) measure(size, level, 8);
    for (const int memory : {4, 5, 6}) measure(size, 1, memory);
  }
}
