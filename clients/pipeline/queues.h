#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/pipeline/events.h"
#include "clients/pipeline/task.h"
#include "proto/result.h"

namespace trestle::pipeline {

using Clock = std::chrono::steady_clock;
/// Names one attempt at one stage of one task; rises, never used twice by one queue process.
using LeaseId = std::uint64_t;

struct QueuesOptions {
  std::chrono::milliseconds lease{5'000};        ///< how long a worker may be silent
  std::chrono::milliseconds retry_delay{2'000};  ///< times the number of attempts so far
  unsigned max_attempts = 3;                     ///< per stage
};

/// A task handed to a worker until `expires`, or longer if the worker keeps it alive.
struct Lease {
  LeaseId id = 0;
  Clock::time_point expires;
  Task task;
};

/// How an attempt ended, as its worker reports it.
struct Outcome {
  bool success = false;
  bool retry = false;  ///< not successful, but another attempt may be (network trouble)
  std::string error;
  std::vector<std::string> files;  ///< the task's files from now on; empty: as before
  std::optional<ToolOutput> compress, protect, upload;
};

/// Both queues: which tasks wait, which run and with whom. Pure: no sockets, no clock, no files; time is a
/// value.
///
/// Owner:  the queue server.  Thread: its own.
/// Bound:  add() refuses a task when the queue-update that tells of it would become too large for a bridge.
/// A task is in exactly one place: waiting in a stage, leased, or ended (and then only until take_ended()).
class Queues {
 public:
  explicit Queues(QueuesOptions options) : options_(options) {}

  /// Appends a task to the compression queue. Errors: the queue is full.
  Result<std::string> add(Task task);
  void set_active(Stage stage, bool active);
  /// How many tasks of the stage may run at once; running ones are never interrupted.
  void set_workers(Stage stage, std::size_t count);

  /// The first task that may start now, leased to `worker`; nothing when paused, all workers' places taken,
  /// or none ready.
  std::optional<Lease> lease(Stage stage, const std::string& worker, Clock::time_point now);
  /// False: that lease is over, whoever had it must stop.
  bool renew(LeaseId lease, Clock::time_point now);
  /// False: that lease is over, the outcome comes too late and is ignored.
  bool finish(LeaseId lease, const Outcome& outcome, Clock::time_point now);
  /// A worker leaves in good order: its task waits again, first in line, and the attempt does not count.
  bool give_back(LeaseId lease);
  /// Takes back what silent workers held. Returns one line about each, for the log.
  std::vector<std::string> expire(Clock::time_point now);

  /// Tasks completed or failed since the last call; `finished` is the caller's to set.
  std::vector<Task> take_ended();
  QueuesView view() const;
  /// True if `worker` holds a lease.
  bool is_busy(const std::string& worker) const;
  /// True once after every change that view() shows.
  bool take_changed();
  std::size_t unfinished() const;
  std::size_t workers(Stage stage) const { return at(stage).workers; }

 private:
  struct Waiting {
    Task task;
    Clock::time_point not_before{};
  };
  struct Running {
    Stage stage;
    Task task;
    Clock::time_point expires;
  };
  struct Line {
    bool active = true;
    std::size_t workers = 1;
    std::list<Waiting> waiting;
  };
  Line& at(Stage stage) { return lines_[static_cast<std::size_t>(stage)]; }
  const Line& at(Stage stage) const { return lines_[static_cast<std::size_t>(stage)]; }
  std::size_t running(Stage stage) const;
  void advance(Stage stage, Task task);
  void try_again(Stage stage, Task task, Clock::time_point now);
  void wait_first(Stage stage, Task task);
  void end(Task task, Status status);

  QueuesOptions options_;
  std::array<Line, 2> lines_;
  std::map<LeaseId, Running> running_;
  std::vector<Task> ended_;
  LeaseId last_lease_ = 0;
  bool changed_ = true;  // the first state is news too
};

}  // namespace trestle::pipeline
