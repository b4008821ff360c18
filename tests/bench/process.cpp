#include "tests/bench/process.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/bench/cpu.h"

namespace trestle::bench {
namespace {

std::uint64_t status_kib(int pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word) {
    std::uint64_t kib = 0;
    if (word == name && file >> kib) return kib;
  }
  throw std::runtime_error("no process " + std::to_string(pid));
}

std::uint64_t sum(const std::vector<int>& pids, const std::string& name) {
  std::uint64_t kib = 0;
  for (const int pid : pids) kib += status_kib(pid, name);
  return kib * 1024;
}

}  // namespace

std::uint64_t Processes::resident() const { return sum(pids, "VmRSS:"); }

std::uint64_t Processes::most_resident() const { return sum(pids, "VmHWM:"); }

double Processes::cpu() const {
  double seconds = 0;
  for (const int pid : pids) seconds += cpu_seconds(pid);
  return seconds;
}

std::uint64_t socket_memory() {
  std::ifstream file("/proc/net/sockstat");
  std::string word;
  while (file >> word) {
    if (word != "TCP:") continue;
    std::uint64_t pages = 0;
    while (file >> word && word != "mem") continue;
    file >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  throw std::runtime_error("/proc/net/sockstat has no TCP line");
}

}  // namespace trestle::bench
