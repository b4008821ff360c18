#include "clients/pipeline/queue_server.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>

#include "clients/pipeline/cannot_start.h"
#include "clients/pipeline/stop_signal.h"

namespace trestle::pipeline {
namespace {

constexpr std::chrono::milliseconds kTick{100};

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// Whoever reaches the socket can have any file of this machine uploaded.
bool is_private(std::string_view address) {
  return starts_with(address, "ipc://") || starts_with(address, "inproc://") ||
         starts_with(address, "tcp://127.") || starts_with(address, "tcp://localhost:") ||
         starts_with(address, "tcp://[::1]:");
}

void bind(zmq::socket_t& socket, const QueueServerOptions& options) {
  if (!options.insecure && !is_private(options.listen)) {
    throw CannotStart("--listen " + options.listen +
                      ": anyone who can reach this address could have your files uploaded. Use a loopback "
                      "address, or --insecure if the network is yours alone");
  }
  try {
    socket.set(zmq::sockopt::linger, 500);
    socket.set(zmq::sockopt::ipv6, true);
    socket.bind(options.listen);
  } catch (const zmq::error_t& error) {
    throw CannotStart("cannot listen on " + options.listen + ": " + error.what() +
                      ". Is another trestle-queue running? --listen chooses another address");
  }
}

Result<Task> task_for(const std::string& source, const QueueServerOptions& options) {
  namespace fs = std::filesystem;
  std::error_code problem;
  const fs::path path = fs::path(source).lexically_normal();
  if (!path.is_absolute()) return Error{source + ": the path must be absolute"};
  if (!fs::exists(path, problem)) return Error{source + ": no such file or folder"};
  Task task;
  task.id = make_uuid();
  task.name = (path.has_filename() ? path : path.parent_path()).filename().string();
  if (task.name.empty()) return Error{source + ": choose a file or a folder below it"};
  task.source = path.string();
  task.work_folder = options.work_folder + "/" + task.id;
  task.destination = options.destination;
  task.created = now_micros();
  return task;
}

}  // namespace

QueueServer::QueueServer(QueueServerOptions options, Producer& producer)
    : options_(std::move(options)),
      producer_(producer),
      queues_(options_.queues),
      socket_(context_, zmq::socket_type::router) {
  bind(socket_, options_);
  queues_.set_workers(Stage::compression, options_.compression_workers);
  queues_.set_workers(Stage::upload, options_.upload_workers);
}

void QueueServer::run() {
  while (!stop_requested()) {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    try {
      zmq::poll(&item, 1, kTick);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
      continue;
    }
    if ((item.revents & ZMQ_POLLIN) != 0) receive();
    turn();
  }
}

void QueueServer::receive() {
  // Bounded, so that a flood of requests can't keep leases from expiring.
  for (int i = 0; i < 100; ++i) {
    zmq::message_t route, frame;
    if (!socket_.recv(route, zmq::recv_flags::dontwait)) return;
    if (!route.more() || !socket_.recv(frame)) continue;
    bool more = frame.more();
    while (more) {
      zmq::message_t rest;
      more = socket_.recv(rest) && rest.more();
    }
    const auto message = decode_to_queue(frame.to_string_view());
    if (message) {
      handle(route.to_string(), *message);
    } else {
      send(route.to_string(), error_reply(message.error().message));
    }
  }
}

void QueueServer::handle(const std::string& route, const ToQueue& message) {
  switch (message.kind) {
    case ToQueue::Kind::ready:
    case ToQueue::Kind::heartbeat:
    case ToQueue::Kind::result:
    case ToQueue::Kind::bye: return handle_worker(route, message);
    default: return send(route, handle_command(message));
  }
}

void QueueServer::handle_worker(const std::string& route, const ToQueue& message) {
  const auto now = Clock::now();
  bool held = true;
  switch (message.kind) {
    case ToQueue::Kind::ready:
      // A `ready` that crossed our lease on the way is old news.
      if (!queues_.is_busy(message.worker)) {
        idle_[static_cast<std::size_t>(message.stage)][message.worker] = {route, now};
      }
      return;
    case ToQueue::Kind::heartbeat: held = queues_.renew(message.lease, now); break;
    case ToQueue::Kind::result: held = queues_.finish(message.lease, message.outcome, now); break;
    default:  // bye
      for (auto& idle : idle_) idle.erase(message.worker);
      if (queues_.give_back(message.lease)) spdlog::info("{} left; its task waits again", message.worker);
      return;
  }
  if (!held) {
    ToWorker revoke;
    revoke.lease = message.lease;
    send(route, encode(revoke));
  }
}

std::string QueueServer::handle_command(const ToQueue& message) {
  switch (message.kind) {
    case ToQueue::Kind::add: return add(message.sources);
    case ToQueue::Kind::pause: queues_.set_active(message.stage, false); break;
    case ToQueue::Kind::resume: queues_.set_active(message.stage, true); break;
    case ToQueue::Kind::workers: queues_.set_workers(message.stage, message.count); break;
    default: return list_reply({completed_, failed_, queues_.unfinished()}, queues_.view());
  }
  return done_reply();
}

std::string QueueServer::add(const std::vector<std::string>& sources) {
  std::vector<Task> tasks;
  for (const auto& source : sources) {
    auto task = task_for(source, options_);
    if (!task) return error_reply(task.error().message);
    tasks.push_back(std::move(*task));
  }
  std::vector<std::string> ids;
  for (auto& task : tasks) {
    const std::string source = task.source;
    const auto id = queues_.add(std::move(task));
    if (!id) return error_reply(source + ": " + id.error().message);
    ids.push_back(*id);
    spdlog::info("added {} as task {}", source, *id);
  }
  return added_reply(ids);
}

void QueueServer::hand_out(Stage stage) {
  auto& idle = idle_[static_cast<std::size_t>(stage)];
  const auto now = Clock::now();
  while (!idle.empty()) {
    const auto worker = idle.begin();
    if (worker->second.seen + options_.queues.lease < now) {
      idle.erase(worker);
      continue;
    }
    const auto lease = queues_.lease(stage, worker->first, now);
    if (!lease) return;
    ToWorker message;
    message.kind = ToWorker::Kind::lease;
    message.lease = lease->id;
    message.expires = options_.queues.lease;
    message.task = lease->task;
    send(worker->second.route, encode(message));
    spdlog::info("{}: {} takes {} ({})", name_of(stage), worker->first, lease->task.name, lease->task.id);
    idle.erase(worker);
  }
}

void QueueServer::send(const std::string& route, const std::string& message) {
  // The ROUTER drops what is for a connection that is gone: its lease will expire.
  socket_.send(zmq::buffer(route), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  socket_.send(zmq::buffer(message), zmq::send_flags::dontwait);
}

void QueueServer::turn() {
  for (const auto& note : queues_.expire(Clock::now())) spdlog::warn("{}", note);
  publish_ended();
  for (const Stage stage : kStages) hand_out(stage);
  publish_queues();
}

void QueueServer::publish_ended() {
  for (Task& task : queues_.take_ended()) {
    task.finished = now_micros();
    const bool completed = task.status == Status::completed;
    ++(completed ? completed_ : failed_);
    if (completed) {
      spdlog::info("completed {} ({})", task.name, task.id);
    } else {
      spdlog::error("failed {} ({}): {}", task.name, task.id, task.error);
    }
    producer_.publish(task_finished(task));
    std::error_code ignored;  // a folder that stays costs disk, not correctness
    if (!options_.keep_work) std::filesystem::remove_all(task.work_folder, ignored);
  }
}

void QueueServer::publish_queues() {
  const auto now = Clock::now();
  const bool connected = producer_.connected();
  const bool back = connected && !bridge_seen_;
  bridge_seen_ = connected;
  if (!queues_.take_changed() && !back && now < next_refresh_) return;
  next_refresh_ = now + options_.refresh;
  producer_.publish(queue_update(queues_.view()));
}

}  // namespace trestle::pipeline
