#include "clients/pipeline/events.h"

#include <cmath>

#include "clients/pipeline/task_json.h"

namespace trestle::pipeline {
namespace {

void write_tasks(JsonWriter& json, const std::string& name, const std::vector<const Task*>& tasks) {
  json.key(name).integer(tasks.size());
  json.key(name + "Configs").array();
  for (const Task* task : tasks) write_task(json, *task, Detail::brief);
  json.end_array();
}

std::string task_finished(const Task& task, std::size_t text_limit) {
  JsonWriter json;
  json.object().member("type", "task-finished").key("taskConfig");
  write_task(json, task, Detail::full, text_limit);
  json.end_object();
  return json.take();
}

}  // namespace

std::string_view name_of(Step step) {
  switch (step) {
    case Step::compression: return "COMPRESSION";
    case Step::par_creation: return "PAR_CREATION";
    case Step::uploading: return "UPLOADING";
  }
  return "UNKNOWN";
}

std::string queue_update(const QueuesView& queues) {
  JsonWriter json;
  json.object().member("type", "queue-update");
  for (const Stage stage : kStages) {
    json.key(std::string(name_of(stage)) + "Active").boolean(queues[static_cast<std::size_t>(stage)].active);
  }
  for (const Stage stage : kStages) {
    const StageView& view = queues[static_cast<std::size_t>(stage)];
    write_tasks(json, std::string(name_of(stage)) + "Running", view.running);
    write_tasks(json, std::string(name_of(stage)) + "Queued", view.queued);
  }
  json.end_object();
  return json.take();
}

std::string command_progress(const std::string& task, Step step, double percentage) {
  JsonWriter json;
  json.object().member("type", "command-progress").member("id", task).member("currentStep", name_of(step));
  json.key("percentage").number(std::round(percentage * 100) / 100);
  json.end_object();
  return json.take();
}

std::string task_finished(const Task& task) {
  // What escaping costs depends on the text, so try; a limit of 1 KiB fits whatever it is.
  for (std::size_t limit = 64 * 1024; limit > 1024; limit /= 2) {
    std::string event = task_finished(task, limit);
    if (event.size() <= kLargestEvent) return event;
  }
  return task_finished(task, 1024);
}

}  // namespace trestle::pipeline
