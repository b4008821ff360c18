#include "tests/bench/attacker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/cpu.h"

namespace trestle::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLowest = 19;

Attacker::Done attack(const Attack& attack, const std::atomic<bool>& ended) {
  Attacker::Done done{attack.name, 0, 0};
  const auto apart =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / attack.per_second));
  for (auto next = Clock::now(); !ended; next = std::max(next + apart, Clock::now() - apart)) {
    std::this_thread::sleep_until(next);
    try {
      attack.once(done.times++);
    } catch (const std::exception&) {
      ++done.thrown_out;
    }
  }
  return done;
}

void write_all(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::_Exit(1);
}

// The whole life of the process.
[[noreturn]] void live(const Victim& victim, int orders, int reports) {
  ::setpriority(PRIO_PROCESS, 0, kLowest);
  char order = 0;
  if (::read(orders, &order, 1) != 1) std::_Exit(0);
  const auto attacks = all_attacks(victim);
  std::vector<Attacker::Done> done(attacks.size());
  std::atomic<bool> ended{false};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < attacks.size(); ++i)
    threads.emplace_back([&, i] { done[i] = attack(attacks[i], ended); });
  while (::read(orders, &order, 1) > 0) continue;
  ended = true;
  for (auto& thread : threads) thread.join();
  std::string report;
  for (const auto& [name, times, thrown_out] : done)
    report += std::to_string(times) + " " + std::to_string(thrown_out) + " " + name + "\n";
  write_all(reports, report);
  std::_Exit(0);
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  return ends;
}

}  // namespace

Attacker::Attacker(const Victim& victim) {
  const auto orders = make_pipe();
  const auto reports = make_pipe();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(orders[1]);
    ::close(reports[0]);
    live(victim, orders[0], reports[1]);
  }
  ::close(orders[0]);
  ::close(reports[1]);
  orders_ = orders[1];
  reports_ = reports[0];
}

Attacker::~Attacker() {
  if (orders_ >= 0) ::close(orders_);
  ::close(reports_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Attacker::begin() {
  if (::write(orders_, "!", 1) != 1) throw std::runtime_error("the attacker has died");
}

std::vector<Attacker::Done> Attacker::end() {
  ::close(std::exchange(orders_, -1));
  std::string report;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(reports_, buffer.data(), buffer.size())) > 0;)
    report.append(buffer.data(), static_cast<std::size_t>(got));
  if (report.empty()) throw std::runtime_error("the attacker has died");
  std::vector<Done> all;
  std::istringstream lines(report);
  for (Done done; lines >> done.times >> done.thrown_out && std::getline(lines >> std::ws, done.name);)
    all.push_back(done);
  return all;
}

double Attacker::cpu() const { return cpu_seconds(pid_); }

}  // namespace trestle::bench
