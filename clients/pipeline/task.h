#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"
#include "proto/types.h"

namespace trestle::pipeline {

/// The two queues a task passes through, in this order.
enum class Stage { compression, upload };
inline constexpr Stage kStages[] = {Stage::compression, Stage::upload};
std::string_view name_of(Stage stage);  ///< "compression", "upload"
Result<Stage> parse_stage(std::string_view name);

/// What one tool did for a task. Which tool it was says the place in the task.
struct ToolOutput {
  std::string command;               ///< as one would type it; empty: not run yet
  std::string output, error;         ///< what it left on its standard output and error
  std::optional<int> exit_code;      ///< nothing: not ended yet, or ended by a signal
  std::string last_message;          ///< how it ended, in words
  double progress = 0;               ///< the last percentage it said
  Micros started = 0, finished = 0;  ///< 0: not yet
};

enum class Status { compression_queued, compressing, upload_queued, uploading, completed, failed };
std::string_view name_of(Status status);  ///< "compression-queued", …

/// A file or folder to be packed, protected and uploaded.
struct Task {
  std::string id;           ///< UUID
  std::string name;         ///< of the source, without its folder
  std::string source;       ///< absolute path
  std::string work_folder;  ///< everything made for this task lies below it
  std::string destination;  ///< URL of the folder that the files are uploaded to, ending in '/'
  Status status = Status::compression_queued;
  unsigned attempt = 0;            ///< how often its present stage has been started
  std::string worker;              ///< who has it, or had it last
  std::string error;               ///< why it failed, or why its last attempt did
  std::vector<std::string> files;  ///< absolute paths: the archive, then its recovery files
  Micros created = 0, finished = 0;
  ToolOutput compress, protect, upload;
};

/// A random (version 4) UUID.
std::string make_uuid();
Micros now_micros();
/// 2025-10-31T12:00:00.000Z
std::string iso_time(Micros time);

}  // namespace trestle::pipeline
