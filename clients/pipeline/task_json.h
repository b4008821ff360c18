#pragma once
#include <cstddef>

#include "clients/pipeline/json.h"
#include "clients/pipeline/task.h"

namespace trestle::pipeline {

/// How much of a task to tell.
enum class Detail {
  brief,  ///< what a row in a list needs: no tools' outputs, no files
  full,
};

/// Writes the task as an object in the words of NZB Flow's task configuration; the README lists the members.
/// `text_limit` bounds each text of the tools' outputs in bytes; of a longer one the middle is left out.
void write_task(JsonWriter& json, const Task& task, Detail detail,
                std::size_t text_limit = std::size_t{1} << 20);

/// {"output":…,"error":…,"started":…,"finished":…,"exitCode":…,"executedCommand":…,"lastMessage":…,
///  "lastKnownProgress":…,"startedAt":…,"finishedAt":…}
void write_tool_output(JsonWriter& json, const ToolOutput& output,
                       std::size_t text_limit = std::size_t{1} << 20);

/// How queue and workers pass a tool's output between them; times as integers, so that nothing is lost on the
/// way.
void write_tool_record(JsonWriter& json, const ToolOutput& output);
/// Members that are absent keep their default.
ToolOutput read_tool_record(const rapidjson::Value& object);

}  // namespace trestle::pipeline
