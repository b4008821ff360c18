#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/pipeline/terminal_text.h"
#include "proto/result.h"

namespace trestle::pipeline {

/// A program with its arguments, and the folder it runs in.
struct Command {
  std::vector<std::string> argv;
  std::filesystem::path folder;
};

/// The command as one would type it into a shell.
std::string shown(const Command& command);

/// The first of `names` found on PATH, as a path.
std::optional<std::string> find_tool(const std::vector<std::string>& names);

/// One run of an outside program, without a shell, in a process group of its own, its standard input empty.
///
/// Thread: the one that started it, which must outlive the run (the kernel kills the child when that thread
/// dies, so that
///         a worker that is killed hard leaves no tool behind).
/// Bound:  `capture` bytes of each stream (beginning and end, see TerminalText); listeners see everything.
/// Errors: start() says what could not be started; a tool that fails is an exit code, not an error.
class ToolRun {
 public:
  using Listener = std::function<void(std::string_view chunk)>;
  struct Listeners {
    Listener output, error;  ///< may be empty; called from pump() with each chunk as it was read
  };

  static Result<std::unique_ptr<ToolRun>> start(const Command& command, Listeners listeners,
                                                std::size_t capture = std::size_t{1} << 20);
  ToolRun(const ToolRun&) = delete;
  ToolRun& operator=(const ToolRun&) = delete;
  ~ToolRun();  ///< kills the group if it still runs

  /// Reads what there is, waiting at most `timeout` for something to happen. True once the program has ended
  /// and its output has been read to the end.
  bool pump(std::chrono::milliseconds timeout);
  /// Asks the group to stop (SIGTERM) and, if it has not after two seconds of pumping, kills it.
  void terminate();

  /// Valid once pump() has returned true: the exit code, or nothing if a signal ended it.
  std::optional<int> exit_code() const { return exit_code_; }
  std::string output() const { return output_.text.text(); }
  std::string error() const { return error_.text.text(); }

 private:
  struct Stream {
    int fd = -1;
    Listener listener;
    TerminalText text;
  };
  ToolRun(pid_t pid, int output, int error, Listeners listeners, std::size_t capture);
  void wait_readable(std::chrono::milliseconds timeout);
  static void drain(Stream& stream);
  bool reap();

  pid_t pid_;
  Stream output_, error_;
  bool ended_ = false;
  std::optional<int> exit_code_;
  std::optional<std::chrono::steady_clock::time_point> kill_at_;
};

}  // namespace trestle::pipeline
