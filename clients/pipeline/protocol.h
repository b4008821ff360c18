#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/pipeline/queues.h"
#include "proto/result.h"

namespace trestle::pipeline {

/// The queue's own socket: a ROUTER that workers and `trestle-queue ctl` reach with a DEALER, one JSON frame
/// a message,
/// {"type": <name>, "v": 1, …}. The README shows the conversation.
inline constexpr const char* kDefaultQueueAddress = "tcp://127.0.0.1:5561";

/// To the queue. `worker` is the worker's producer id.
struct ToQueue {
  enum class Kind {
    ready,      ///< worker, stage: I am idle; every second while that is so
    heartbeat,  ///< worker, lease: I am at it; every second while that is so
    result,     ///< worker, lease, outcome
    bye,        ///< worker, lease (0: none): I leave, take the task back
    add,        ///< sources
    pause,
    resume,   ///< stage
    workers,  ///< stage, count
    list,
  };
  Kind kind = Kind::list;
  std::string worker;
  Stage stage = Stage::compression;
  LeaseId lease = 0;
  Outcome outcome;
  std::vector<std::string> sources;  ///< absolute paths
  std::size_t count = 0;
};

/// To a worker.
struct ToWorker {
  enum class Kind {
    lease,   ///< lease, expires, task: yours while you beat at least that often
    revoke,  ///< lease: no longer yours, stop
  };
  Kind kind = Kind::revoke;
  LeaseId lease = 0;
  std::chrono::milliseconds expires{0};
  Task task;  ///< id, name, source, work_folder, destination, files
};

std::string encode(const ToQueue& message);
std::string encode(const ToWorker& message);

/// Errors name the member at fault. Unknown members are ignored; "v" must be 1.
Result<ToQueue> decode_to_queue(std::string_view json);
Result<ToWorker> decode_to_worker(std::string_view json);

/// Answers to add, pause, resume, workers and list.
struct Listing {
  std::size_t completed = 0, failed = 0, unfinished = 0;
};
std::string added_reply(const std::vector<std::string>& ids);  ///< {"type":"added","v":1,"ids":[…]}
std::string done_reply();                                      ///< {"type":"done","v":1}
std::string error_reply(std::string_view message);             ///< {"type":"error","v":1,"message":…}
/// {"type":"list","v":1,"completed":…,"failed":…,"unfinished":…,"queues":<queue-update>}
std::string list_reply(const Listing& listing, const QueuesView& queues);

}  // namespace trestle::pipeline
