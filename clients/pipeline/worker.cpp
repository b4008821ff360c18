#include "clients/pipeline/worker.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "clients/pipeline/cannot_start.h"
#include "clients/pipeline/stop_signal.h"

namespace trestle::pipeline {
namespace {

using namespace std::chrono_literals;

std::string ending(const ToolRun& tool) {
  if (!tool.exit_code()) return "ended by a signal";
  return *tool.exit_code() == 0 ? "done" : "failed with exit code " + std::to_string(*tool.exit_code());
}

}  // namespace

Worker::Worker(WorkerOptions options, Producer& producer, Job job)
    : options_(std::move(options)),
      producer_(producer),
      job_(std::move(job)),
      socket_(context_, zmq::socket_type::dealer) {
  socket_.set(zmq::sockopt::linger, 500);
  socket_.set(zmq::sockopt::ipv6, true);
  // Without a queue, nothing piles up: what we say is true only now, and is said again in a second.
  socket_.set(zmq::sockopt::immediate, true);
  socket_.set(zmq::sockopt::reconnect_ivl_max, 1000);
  try {
    socket_.connect(options_.queue);
  } catch (const zmq::error_t& error) {
    throw CannotStart("--queue " + options_.queue + ": " + error.what() + "; try " + kDefaultQueueAddress);
  }
}

void Worker::run() {
  while (!stop_requested()) {
    beat();
    wait(100ms);
    receive();
    if (next_) work_on(*std::exchange(next_, std::nullopt));
  }
  ToQueue bye;
  bye.kind = ToQueue::Kind::bye;
  send(bye);
}

ToolOutput Worker::run_step(const Task& task, StepPlan plan) {
  ToolOutput output;
  output.command = shown(plan.command);
  output.started = now_micros();
  ProgressGate gate(options_.progress_interval);
  const auto listen_with = [&](ProgressReader& reader) -> ToolRun::Listener {
    if (!reader) return {};
    return [&](std::string_view chunk) {
      publish_reading(task, plan.step, reader(chunk), gate, output.progress);
    };
  };
  publish_reading(task, plan.step, 0, gate, output.progress);
  auto started = ToolRun::start(plan.command, {listen_with(plan.read_output), listen_with(plan.read_error)});
  if (!started) {
    output.error = output.last_message = started.error().message;
    output.finished = now_micros();
    return output;
  }
  ToolRun& tool = **started;
  while (!tool.pump(50ms)) {
    beat();
    receive();
    if (must_stop()) tool.terminate();
  }
  output.output = tool.output();
  output.error = tool.error();
  output.exit_code = tool.exit_code();
  output.last_message = ending(tool);
  output.finished = now_micros();
  if (output.exit_code == 0) {
    output.progress = 100;
    producer_.publish(command_progress(task.id, plan.step, 100));
  }
  return output;
}

void Worker::publish_reading(const Task& task, Step step, std::optional<double> reading, ProgressGate& gate,
                             double& last) {
  if (!reading) return;
  last = *reading;
  if (gate.admit(*reading, Clock::now())) producer_.publish(command_progress(task.id, step, *reading));
}

void Worker::wait(std::chrono::milliseconds timeout) {
  zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
  try {
    zmq::poll(&item, 1, timeout);
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
  }
}

void Worker::receive() {
  zmq::message_t frame;
  while (socket_.recv(frame, zmq::recv_flags::dontwait)) {
    auto message = decode_to_worker(frame.to_string_view());
    if (!message) {
      spdlog::warn("the queue said something else: {}", message.error().message);
    } else if (message->kind == ToWorker::Kind::lease && lease_ == 0) {
      next_ = std::move(*message);
    } else if (message->kind == ToWorker::Kind::revoke && message->lease == lease_) {
      revoked_ = true;
    }
  }
}

void Worker::beat() {
  const auto now = Clock::now();
  if (now < next_beat_) return;
  next_beat_ = now + options_.beat;
  ToQueue message;
  message.kind = lease_ == 0 ? ToQueue::Kind::ready : ToQueue::Kind::heartbeat;
  message.stage = options_.stage;
  message.lease = lease_;
  // Not connected yet, or no longer: try again at once, a second is long for a worker that could be working.
  if (!send(message)) next_beat_ = now;
}

void Worker::work_on(const ToWorker& lease) {
  lease_ = lease.lease;
  revoked_ = false;
  spdlog::info("{}: {} ({})", name_of(options_.stage), lease.task.name, lease.task.id);
  const Outcome outcome = job_(*this, lease.task, lease.task.work_folder + "/" + std::to_string(lease.lease));
  if (revoked_) {
    spdlog::warn("the queue gave {} to another worker", lease.task.id);
  } else if (stop_requested()) {
    ToQueue bye;
    bye.kind = ToQueue::Kind::bye;
    send(bye);
  } else {
    send_result(outcome);
  }
  lease_ = 0;
  next_beat_ = Clock::now();  // say at once that we are free
}

bool Worker::send(ToQueue message) {
  message.worker = options_.id;
  message.lease = lease_;
  return socket_.send(zmq::buffer(encode(message)), zmq::send_flags::dontwait).has_value();
}

void Worker::send_result(const Outcome& outcome) {
  if (!outcome.success) spdlog::error("{}", outcome.error);
  // The last progress must be in the stream before the queue says task-finished: they travel on different
  // sockets.
  if (producer_.connected()) producer_.flush(1s);
  ToQueue message;
  message.kind = ToQueue::Kind::result;
  message.worker = options_.id;
  message.lease = lease_;
  message.outcome = outcome;
  const std::string text = encode(message);
  while (!stop_requested() && !revoked_) {
    if (socket_.send(zmq::buffer(text), zmq::send_flags::dontwait)) return;
    wait(100ms);  // the queue is away; its new life will revoke the lease
    receive();
    beat();
  }
}

bool Worker::must_stop() const { return revoked_ || stop_requested(); }

}  // namespace trestle::pipeline
