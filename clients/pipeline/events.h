#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "clients/pipeline/task.h"

namespace trestle::pipeline {

/// The steps of a task as clients know them.
enum class Step { compression, par_creation, uploading };
std::string_view name_of(Step step);  ///< "COMPRESSION", "PAR_CREATION", "UPLOADING"

/// One queue as clients see it.
struct StageView {
  bool active = true;  ///< false: paused
  std::vector<const Task*> running, queued;
};
/// By Stage.
using QueuesView = std::array<StageView, 2>;

/// Bridges refuse events over 512 KiB (ingest.max_event); ours stay below.
inline constexpr std::size_t kLargestEvent = 480 * 1024;

std::string queue_update(const QueuesView& queues);
/// `percentage` in [0, 100]; two decimals are kept.
std::string command_progress(const std::string& task, Step step, double percentage);
/// The task with its tools' outputs. Outputs that would make the event larger than kLargestEvent lose their
/// middle.
std::string task_finished(const Task& task);

}  // namespace trestle::pipeline
