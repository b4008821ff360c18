#pragma once
#include <trestle/producer.h>

#include <functional>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "clients/pipeline/events.h"
#include "clients/pipeline/progress.h"
#include "clients/pipeline/protocol.h"
#include "clients/pipeline/tool_run.h"

namespace trestle::pipeline {

struct WorkerOptions {
  std::string id;  ///< producer id, and the worker's name at the queue
  Stage stage = Stage::compression;
  std::string queue = kDefaultQueueAddress;
  std::chrono::milliseconds beat{1'000};
  std::chrono::milliseconds progress_interval{100};  ///< at most one command-progress that often
};

/// One tool to run as one step of a task.
struct StepPlan {
  Step step = Step::compression;
  Command command;
  ProgressReader read_output, read_error;  ///< where the tool tells its progress; may be empty
};

/// A process that takes tasks of one stage from the queue, one at a time, and works on them with outside
/// tools.
///
/// While a tool runs the worker beats, so that the queue knows the lease is alive, and publishes
/// command-progress. When the lease is revoked or a stop signal comes, the tool is stopped and the task given
/// back. Thread: the one that calls run().
class Worker {
 public:
  /// Does a task by calling run_step() for each tool; runs on the worker's thread. `folder` is for this
  /// attempt alone.
  using Job = std::function<Outcome(Worker& worker, const Task& task, const std::string& folder)>;

  Worker(WorkerOptions options, Producer& producer, Job job);
  /// Works until stop_requested().
  void run();

  /// Runs one tool to its end. The step ended well if and only if exit_code is 0; 100 % is published then.
  ToolOutput run_step(const Task& task, StepPlan plan);

 private:
  void wait(std::chrono::milliseconds timeout);
  void receive();
  void beat();
  void work_on(const ToWorker& lease);
  bool send(ToQueue message);  ///< false: no queue is connected
  void send_result(const Outcome& outcome);
  bool must_stop() const;
  void publish_reading(const Task& task, Step step, std::optional<double> reading, ProgressGate& gate,
                       double& last);

  WorkerOptions options_;
  Producer& producer_;
  Job job_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::optional<ToWorker> next_;  ///< a lease that came while idle
  LeaseId lease_ = 0;             ///< the one being worked on; 0: idle
  bool revoked_ = false;
  Clock::time_point next_beat_{};
};

}  // namespace trestle::pipeline
