#include "clients/pipeline/queues.h"

#include <algorithm>
#include <utility>

namespace trestle::pipeline {
namespace {

Status queued(Stage stage) {
  return stage == Stage::compression ? Status::compression_queued : Status::upload_queued;
}
Status running_status(Stage stage) {
  return stage == Stage::compression ? Status::compressing : Status::uploading;
}

void take_over(Task& task, const Outcome& outcome) {
  task.error = outcome.error;
  if (!outcome.files.empty()) task.files = outcome.files;
  if (outcome.compress) task.compress = *outcome.compress;
  if (outcome.protect) task.protect = *outcome.protect;
  if (outcome.upload) task.upload = *outcome.upload;
}

}  // namespace

Result<std::string> Queues::add(Task task) {
  task.status = Status::compression_queued;
  Line& line = at(Stage::compression);
  line.waiting.push_back({std::move(task), {}});
  // A task grows a little on its way (worker, error); a quarter is left for that.
  if (queue_update(view()).size() > kLargestEvent / 4 * 3) {
    line.waiting.pop_back();
    return Error{"the queue is full (" + std::to_string(unfinished()) + " tasks wait or run); add it later"};
  }
  changed_ = true;
  return line.waiting.back().task.id;
}

void Queues::set_active(Stage stage, bool active) {
  changed_ = changed_ || at(stage).active != active;
  at(stage).active = active;
}

void Queues::set_workers(Stage stage, std::size_t count) { at(stage).workers = count; }

std::optional<Lease> Queues::lease(Stage stage, const std::string& worker, Clock::time_point now) {
  Line& line = at(stage);
  if (!line.active || running(stage) >= line.workers) return std::nullopt;
  const auto next = std::find_if(line.waiting.begin(), line.waiting.end(),
                                 [now](const Waiting& waiting) { return waiting.not_before <= now; });
  if (next == line.waiting.end()) return std::nullopt;
  Task task = std::move(next->task);
  line.waiting.erase(next);
  task.status = running_status(stage);
  task.worker = worker;
  ++task.attempt;
  changed_ = true;
  const LeaseId id = ++last_lease_;
  const Running& held = running_[id] = Running{stage, std::move(task), now + options_.lease};
  return Lease{id, held.expires, held.task};
}

bool Queues::renew(LeaseId lease, Clock::time_point now) {
  const auto found = running_.find(lease);
  if (found == running_.end()) return false;
  found->second.expires = now + options_.lease;
  return true;
}

bool Queues::finish(LeaseId lease, const Outcome& outcome, Clock::time_point now) {
  auto node = running_.extract(lease);
  if (node.empty()) return false;
  changed_ = true;
  const Stage stage = node.mapped().stage;
  Task task = std::move(node.mapped().task);
  take_over(task, outcome);
  if (outcome.success) {
    advance(stage, std::move(task));
  } else if (outcome.retry) {
    try_again(stage, std::move(task), now);
  } else {
    end(std::move(task), Status::failed);
  }
  return true;
}

bool Queues::give_back(LeaseId lease) {
  auto node = running_.extract(lease);
  if (node.empty()) return false;
  changed_ = true;
  Task task = std::move(node.mapped().task);
  --task.attempt;
  wait_first(node.mapped().stage, std::move(task));
  return true;
}

std::vector<std::string> Queues::expire(Clock::time_point now) {
  std::vector<std::string> notes;
  for (auto it = running_.begin(); it != running_.end();) {
    if (it->second.expires > now) {
      ++it;
      continue;
    }
    const Stage stage = it->second.stage;
    Task task = std::move(it->second.task);
    it = running_.erase(it);
    changed_ = true;
    task.error = "worker " + task.worker + " stopped answering";
    notes.push_back(task.error + " during attempt " + std::to_string(task.attempt) + " at task " + task.id);
    if (task.attempt >= options_.max_attempts) {
      end(std::move(task), Status::failed);
    } else {
      wait_first(stage, std::move(task));
    }
  }
  return notes;
}

std::vector<Task> Queues::take_ended() { return std::exchange(ended_, {}); }

QueuesView Queues::view() const {
  QueuesView view;
  for (const Stage stage : kStages) {
    StageView& seen = view[static_cast<std::size_t>(stage)];
    seen.active = at(stage).active;
    for (const Waiting& waiting : at(stage).waiting) seen.queued.push_back(&waiting.task);
  }
  for (const auto& [id, held] : running_)
    view[static_cast<std::size_t>(held.stage)].running.push_back(&held.task);
  return view;
}

bool Queues::is_busy(const std::string& worker) const {
  return std::any_of(running_.begin(), running_.end(),
                     [&](const auto& held) { return held.second.task.worker == worker; });
}

bool Queues::take_changed() { return std::exchange(changed_, false); }

std::size_t Queues::unfinished() const {
  return running_.size() + at(Stage::compression).waiting.size() + at(Stage::upload).waiting.size();
}

std::size_t Queues::running(Stage stage) const {
  return static_cast<std::size_t>(std::count_if(
      running_.begin(), running_.end(), [stage](const auto& held) { return held.second.stage == stage; }));
}

void Queues::advance(Stage stage, Task task) {
  if (stage == Stage::upload) return end(std::move(task), Status::completed);
  task.status = Status::upload_queued;
  task.attempt = 0;
  at(Stage::upload).waiting.push_back({std::move(task), {}});
}

void Queues::try_again(Stage stage, Task task, Clock::time_point now) {
  if (task.attempt >= options_.max_attempts) return end(std::move(task), Status::failed);
  task.status = queued(stage);
  const auto not_before = now + options_.retry_delay * task.attempt;
  at(stage).waiting.push_back({std::move(task), not_before});
}

void Queues::wait_first(Stage stage, Task task) {
  task.status = queued(stage);
  at(stage).waiting.push_front({std::move(task), {}});
}

void Queues::end(Task task, Status status) {
  task.status = status;
  ended_.push_back(std::move(task));
}

}  // namespace trestle::pipeline
