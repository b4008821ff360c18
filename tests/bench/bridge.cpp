#include "tests/bench/bridge.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/cpu.h"

namespace trestle::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kToken = "bench";
constexpr std::chrono::seconds kPatience{60};

fs::path make_folder() {
  auto name = (fs::temp_directory_path() / "trestle-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  return name;
}

// Somebody else may take the port before trestled does; then it says so and ends, and so do we.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

Bridge::Bridge(BridgeOptions options)
    : options_(std::move(options)),
      folder_(make_folder()),
      port_(free_port()),
      events_(free_port()),
      control_(free_port()) {
  write_config();
}

Bridge::~Bridge() {
  kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Bridge::write_config() const {
  std::ofstream config(folder_ / "trestle.yaml");
  config << "listen: {address: 127.0.0.1, port: " << port_ << "}\n"
         << "auth: {token: " << kToken << "}\n"
         << "ingest: {bind: [\"tcp://127.0.0.1:" << events_ << "\"], control: \"tcp://127.0.0.1:" << control_
         << "\"}\n"
         << "stream: {path: \"" << options_.stream << "\", durability: " << options_.durability << "}\n"
         << "session: {queue: " << options_.queue << "}\n"
         << "log: {level: error}\n";
  if (options_.retain != 0) {
    config << "topics: [{match: bench, keep: log, retain: {count: " << options_.retain << "}}]\n";
  }
  if (!config.flush()) throw std::runtime_error("cannot write in " + folder_.string());
}

double Bridge::start() {
  const auto begun = Clock::now();
  pid_ = ::fork();
  if (pid_ == 0) {
    const auto config = (folder_ / "trestle.yaml").string();
    ::execl(options_.program.c_str(), "trestled", "-c", config.c_str(), nullptr);
    _exit(127);
  }
  auto ready = target("");
  ready.path = "/readyz";
  while (http_status(ready) != 200) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error(options_.program.string() + " did not start");
    }
    if (Clock::now() - begun > kPatience) throw std::runtime_error("trestled is not ready after 60 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void Bridge::stop() { end(SIGTERM); }

void Bridge::kill() { end(SIGKILL); }

void Bridge::end(int signal) {
  if (pid_ < 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

double Bridge::cpu() const { return cpu_seconds(pid_); }

std::uint64_t Bridge::resident() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  throw std::runtime_error("no VmRSS of trestled");
}

Target Bridge::target(const std::string& query) const {
  Target target;
  target.port = port_;
  target.path = "/?token=" + std::string(kToken) + (query.empty() ? "" : "&" + query);
  return target;
}

BridgeAddress Bridge::address() const {
  return {"tcp://127.0.0.1:" + std::to_string(events_), "tcp://127.0.0.1:" + std::to_string(control_)};
}

std::uint64_t Bridge::disk() const {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) bytes += entry.file_size();
  return bytes;
}

void Bridge::drop_from_cache() const {
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ::fdatasync(fd);  // only what is on the disk can be forgotten
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

}  // namespace trestle::bench
