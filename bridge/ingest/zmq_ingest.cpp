#include "bridge/ingest/zmq_ingest.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <array>

#include "bridge/core/clock.h"
#include "bridge/log/log.h"
#include "bridge/wake_fd.h"

namespace trestle {
namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kAckTick{5};

}  // namespace

ZmqIngest::ZmqIngest(Spine& spine, BatchSink& sink) : spine_(spine), sink_(sink), wake_fd_(new_wake_fd()) {}

ZmqIngest::~ZmqIngest() {
  stop();
  ::close(wake_fd_);
}

Result<std::monostate> ZmqIngest::open(const IngestSettings& settings) {
  auto sockets = ZmqSockets::open(settings);
  if (!sockets) return sockets.error();
  sockets_ = std::move(*sockets);
  dials_ = !settings.connect.empty();
  if (sockets_->producers() != nullptr) gate_.emplace(sockets_->producers());
  return std::monostate{};
}

void ZmqIngest::start() {
  sockets_->announce();
  events_fd_ = sockets_->events().get(zmq::sockopt::fd);
  control_fd_ = sockets_->control().get(zmq::sockopt::fd);
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "spine");
    run();
  });
}

void ZmqIngest::stop() {
  stopping_ = true;
  wake(wake_fd_);
  if (thread_.joinable()) thread_.join();
}

void ZmqIngest::reload_producers() {
  if (auto* zap = sockets_->zap(); zap != nullptr) zap->reload();
}

void ZmqIngest::probe(std::function<void(const SpineStatus&)> answer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    probes_.push_back(std::move(answer));
  }
  wake(wake_fd_);
}

void ZmqIngest::run() {
  while (!stopping_) {
    wait_for_input();
    turn();
  }
  events_wait_ = controls_wait_ = true;
  turn();
}

// On the sockets' descriptors, where zmq::poll() makes eight system calls for an event. ZeroMQ's rules for
// them: one is readable when there may be something new, once; then its socket is read until it has nothing
// left. Sending may use up what made it readable, so the control socket is read after that too.
void ZmqIngest::wait_for_input() {
  const bool more = events_wait_ || controls_wait_;
  std::array<pollfd, 3> waits{{{events_fd_, POLLIN, 0}, {control_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  const auto patience = spine_.acks_pending() ? kAckTick : kTick;
  if (::poll(waits.data(), waits.size(), more ? 0 : static_cast<int>(patience.count())) <= 0) return;
  const auto readable = [](const pollfd& wait) { return (wait.revents & POLLIN) != 0; };
  events_wait_ = events_wait_ || readable(waits[0]);
  controls_wait_ = controls_wait_ || readable(waits[1]);
  if (readable(waits[2])) clear_wake(wake_fd_);
}

void ZmqIngest::turn() {
  const auto now = read_clock();
  if (gate_) gate_->refresh();
  const bool overloaded = !sink_.has_room();
  read_controls(now, overloaded);
  read_events(now, overloaded);
  if (now.steady - ticked_ >= kTick) {
    spine_.tick(now);
    rate_.add(spine_.counters().events - metered_, now.steady);
    metered_ = spine_.counters().events;
    ticked_ = now.steady;
  }
  if (!overloaded) commit(now);
  answer_probes(now);
}

void ZmqIngest::read_events(Now now, bool overloaded) {
  for (std::size_t i = 0; i < kEventsPerBatch && events_wait_; ++i) {
    events_wait_ = receive(sockets_->events());
    if (!events_wait_) return;
    if (!gate_ || let_in(dials_)) spine_.message(frames_, now, overloaded, grant_);
  }
}

void ZmqIngest::read_controls(Now now, bool overloaded) {
  for (std::size_t i = 0; i < kControlsPerBatch && controls_wait_; ++i) {
    controls_wait_ = receive(sockets_->control());
    if (!controls_wait_) return;
    if (gate_ && !let_in(false)) continue;
    const auto peer = frames_.front();
    frames_.erase(frames_.begin());
    spine_.control(peer, frames_, now, overloaded, grant_);
  }
}

// Whether the sender of the message at hand is on the list, as it is now; else it has been counted.
bool ZmqIngest::let_in(bool perhaps_dialed) {
  auto& frame = parts_[frames_.size() - 1];  // any but the routing id
  grant_ = gate_->sender(frame);
  if (grant_ != nullptr) return true;
  const auto key = key_of_sender(frame);
  if (perhaps_dialed && key.empty()) return true;
  spine_.refuse(Reject::unlisted_key, key);
  return false;
}

// One whole message into frames_; false if none waits.
bool ZmqIngest::receive(zmq::socket_t& socket) {
  frames_.clear();
  for (std::size_t count = 0;; ++count) {
    const auto slot = std::min(count, kMaxFrames);
    if (parts_.size() <= slot) parts_.emplace_back();
    auto& part = parts_[slot];
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return false;
    if (!part.more()) {
      for (std::size_t i = 0; i <= slot; ++i) frames_.emplace_back(parts_[i].data<char>(), parts_[i].size());
      return true;
    }
  }
}

void ZmqIngest::commit(Now now) {
  auto output = spine_.commit(now);
  if (output.batch) sink_.deliver(output.batch);
  std::string
      full;  // a welcome must not pass by the ack before it: who could not take one gets none of these
  for (const auto& message : output.to_producers) {
    if (message.peer == full) {
      spine_.undelivered(message, false);
    } else if (!answer(message)) {
      full = message.peer;
    }
  }
  for (const auto& report : output.reports) {
    log::warning("messages refused", {{"reason", name_of(report.reason)},
                                      {"count", report.count},
                                      {"total", report.total},
                                      {"detail", report.detail}});
  }
}

// False if it could not be sent.
bool ZmqIngest::answer(const ToProducer& message) {
  auto& control = sockets_->control();
  controls_wait_ = true;  // see wait_for_input()
  zmq::message_t peer(message.peer.data(), message.peer.size());
  try {
    const bool taken =
        control.send(peer, zmq::send_flags::sndmore | zmq::send_flags::dontwait).has_value() &&
        control.send(zmq::buffer(encode(message.message)), zmq::send_flags::dontwait).has_value();
    if (!taken) spine_.undelivered(message, false);
    return taken;
  } catch (const zmq::error_t& error) {
    if (error.num() != EHOSTUNREACH) throw;
    spine_.undelivered(message, true);
    return false;
  }
}

void ZmqIngest::answer_probes(Now now) {
  std::vector<std::function<void(const SpineStatus&)>> probes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    probes.swap(probes_);
  }
  if (probes.empty()) return;
  SpineStatus status;
  status.head = spine_.stream().head();
  status.epoch = *spine_.stream().epoch();
  status.trouble = spine_.stream().trouble();
  status.counters = spine_.counters();
  status.events_per_second = rate_.per_second(now.steady);
  for (std::size_t i = 0; i < kRejectCount; ++i) {
    status.rejections[i] = spine_.rejections().total(static_cast<Reject>(i));
  }
  status.producers = spine_.producers(now);
  if (gate_) {
    status.curve = CurveStatus{sockets_->producers()->current()->size(), sockets_->zap()->refused(),
                               sockets_->producers()->trouble()};
  }
  for (const auto& probe : probes) probe(status);
}

}  // namespace trestle
