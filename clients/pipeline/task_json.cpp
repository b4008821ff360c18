#include "clients/pipeline/task_json.h"

#include <filesystem>

namespace trestle::pipeline {
namespace {

/// The beginning and the end of a text, cut at most to `limit` bytes and a line that says so.
std::string shortened(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  const std::size_t head = limit / 3, tail = limit - head;
  return text.substr(0, head) + "\n[… " + std::to_string(text.size() - limit) + " bytes left out …]\n" +
         text.substr(text.size() - tail);
}

void write_time(JsonWriter& json, std::string_view name, Micros time) {
  json.key(name);
  if (time == 0) {
    json.null();
  } else {
    json.text(iso_time(time));
  }
}

void write_files(JsonWriter& json, const Task& task) {
  json.member("rarParFolderPath",
              task.files.empty() ? "" : std::filesystem::path(task.files.front()).parent_path().string());
  json.key("rarParFiles").array();
  for (const auto& file : task.files) json.text(std::filesystem::path(file).filename().string());
  json.end_array();
}

}  // namespace

void write_tool_output(JsonWriter& json, const ToolOutput& output, std::size_t text_limit) {
  json.object();
  json.member("output", shortened(output.output, text_limit));
  json.member("error", shortened(output.error, text_limit));
  json.key("started").boolean(output.started != 0);
  json.key("finished").boolean(output.finished != 0);
  json.key("exitCode");
  if (output.exit_code) {
    json.integer(static_cast<std::uint64_t>(*output.exit_code));
  } else {
    json.null();
  }
  json.member("executedCommand", output.command);
  json.member("lastMessage", output.last_message);
  json.key("lastKnownProgress").number(output.progress);
  write_time(json, "startedAt", output.started);
  write_time(json, "finishedAt", output.finished);
  json.end_object();
}

void write_task(JsonWriter& json, const Task& task, Detail detail, std::size_t text_limit) {
  const bool ended = task.status == Status::completed || task.status == Status::failed;
  json.object();
  json.member("id", task.id).member("name", task.name).member("status", name_of(task.status));
  json.key("created_at").integer(static_cast<std::uint64_t>(task.created / 1000));
  json.key("started").boolean(task.attempt > 0 || task.compress.started != 0);
  json.key("finished").boolean(ended);
  json.member("error", task.error).member("sourcePath", task.source);
  json.member("uploadUrl", task.destination + task.id + "/");
  json.key("attempt").integer(task.attempt).member("worker", task.worker);
  if (detail == Detail::full) {
    write_time(json, "finishedAt", task.finished);
    write_files(json, task);
    json.key("rarCommandOutput");
    write_tool_output(json, task.compress, text_limit);
    json.key("parCommandOutput");
    write_tool_output(json, task.protect, text_limit);
    json.key("nyuuCommandOutput");
    write_tool_output(json, task.upload, text_limit);
  }
  json.end_object();
}

void write_tool_record(JsonWriter& json, const ToolOutput& output) {
  json.object();
  json.member("command", output.command).member("output", output.output).member("error", output.error);
  if (output.exit_code) json.key("exit_code").integer(static_cast<std::uint64_t>(*output.exit_code));
  json.member("last_message", output.last_message).key("progress").number(output.progress);
  json.key("started").integer(static_cast<std::uint64_t>(output.started));
  json.key("finished").integer(static_cast<std::uint64_t>(output.finished));
  json.end_object();
}

ToolOutput read_tool_record(const rapidjson::Value& object) {
  ToolOutput output;
  output.command = text_in(object, "command").value_or("");
  output.output = text_in(object, "output").value_or("");
  output.error = text_in(object, "error").value_or("");
  if (const auto code = integer_in(object, "exit_code")) output.exit_code = static_cast<int>(*code);
  output.last_message = text_in(object, "last_message").value_or("");
  const auto* progress = member(object, "progress");
  if (progress != nullptr && progress->IsNumber()) output.progress = progress->GetDouble();
  output.started = static_cast<Micros>(integer_in(object, "started").value_or(0));
  output.finished = static_cast<Micros>(integer_in(object, "finished").value_or(0));
  return output;
}

}  // namespace trestle::pipeline
