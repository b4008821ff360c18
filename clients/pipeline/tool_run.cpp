#include "clients/pipeline/tool_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>
#include <utility>

namespace trestle::pipeline {
namespace {

constexpr std::chrono::seconds kGrace{2};

bool plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("%+,-./:=@_", c) != nullptr;
}

std::string quoted(const std::string& argument) {
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), plain)) return argument;
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct Pipe {
  int read = -1, write = -1;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  void close_write() { close_end(write); }
  void close_both() {
    close_end(read);
    close_end(write);
  }
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

/// What the child does between fork and exec: only calls that are safe there, as other threads may hold
/// locks. Whatever fails is told through `failure`, which exec closes otherwise.
[[noreturn]] void become(char* const* argv, const char* folder, pid_t parent, int in, int out, int err,
                         int failure) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent && (*folder == '\0' || ::chdir(folder) == 0) && ::dup2(in, 0) >= 0 &&
      ::dup2(out, 1) >= 0 && ::dup2(err, 2) >= 0) {
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(argv[0], argv);
  }
  const int why = errno;
  [[maybe_unused]] const auto ignored = ::write(failure, &why, sizeof why);
  ::_exit(127);
}

}  // namespace

std::string shown(const Command& command) {
  std::string out;
  for (const auto& argument : command.argv) out += (out.empty() ? "" : " ") + quoted(argument);
  return out;
}

std::optional<std::string> find_tool(const std::vector<std::string>& names) {
  const char* path = std::getenv("PATH");
  for (const auto& name : names) {
    std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
      const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return std::nullopt;
}

Result<std::unique_ptr<ToolRun>> ToolRun::start(const Command& command, Listeners listeners,
                                                std::size_t capture) {
  Pipe out, err, failure;
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto failed = [&](int why) {
    out.close_both(), err.close_both(), failure.close_both();
    if (in >= 0) ::close(in);
    return Error{"cannot start " + command.argv.front() + ": " + std::strerror(why)};
  };
  if (in < 0 || !out.open() || !err.open() || !failure.open()) return failed(errno);

  std::vector<char*> argv;
  for (const auto& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string folder = command.folder.string();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return failed(errno);
  if (pid == 0) become(argv.data(), folder.c_str(), parent, in, out.write, err.write, failure.write);

  ::setpgid(pid, pid);  // in the child too: whoever comes first
  out.close_write(), err.close_write(), failure.close_write();
  int why = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure.read, &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof why)) {
    ::waitpid(pid, nullptr, 0);
    return failed(why);
  }
  failure.close_both();
  ::close(in);
  for (const int fd : {out.read, err.read}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<ToolRun>(new ToolRun(pid, out.read, err.read, std::move(listeners), capture));
}

ToolRun::ToolRun(pid_t pid, int output, int error, Listeners listeners, std::size_t capture)
    : pid_(pid),
      output_{output, std::move(listeners.output), TerminalText(capture)},
      error_{error, std::move(listeners.error), TerminalText(capture)} {}

ToolRun::~ToolRun() {
  if (!ended_) {
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  for (int* fd : {&output_.fd, &error_.fd}) Pipe::close_end(*fd);
}

bool ToolRun::pump(std::chrono::milliseconds timeout) {
  if (ended_) return true;
  wait_readable(timeout);
  // Reap before reading: what the program wrote before it ended is then certainly in the pipes. A grandchild
  // that keeps them open can't hold us up.
  const bool reaped = reap();
  drain(output_);
  drain(error_);
  if (!reaped && kill_at_ && std::chrono::steady_clock::now() >= *kill_at_) ::kill(-pid_, SIGKILL);
  ended_ = reaped;
  return ended_;
}

void ToolRun::terminate() {
  if (ended_ || kill_at_) return;
  ::kill(-pid_, SIGTERM);
  kill_at_ = std::chrono::steady_clock::now() + kGrace;
}

void ToolRun::wait_readable(std::chrono::milliseconds timeout) {
  pollfd fds[2];
  nfds_t count = 0;
  for (const Stream* stream : {&output_, &error_}) {
    if (stream->fd >= 0) fds[count++] = pollfd{stream->fd, POLLIN, 0};
  }
  // Both closed: the program is about to end, or has turned its back on us; look again soon.
  const auto wait = count > 0 ? timeout : std::min(timeout, std::chrono::milliseconds(10));
  ::poll(fds, count, static_cast<int>(wait.count()));
}

void ToolRun::drain(Stream& stream) {
  char buffer[16 * 1024];
  // Bounded, so that a tool that writes faster than we read can't keep us from our other duties.
  for (int rounds = 0; stream.fd >= 0 && rounds < 64; ++rounds) {
    const ssize_t got = ::read(stream.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Pipe::close_end(stream.fd);
    const std::string_view chunk(buffer, static_cast<std::size_t>(got));
    stream.text.append(chunk);
    if (stream.listener) stream.listener(chunk);
  }
}

bool ToolRun::reap() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  if (WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  return true;
}

}  // namespace trestle::pipeline
