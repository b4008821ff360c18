#include "tests/unit/clients/cpp/fake_bridge.h"

#include <algorithm>

namespace trestle::test {
namespace {

std::vector<std::string> receive(zmq::socket_t& socket) {
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) return {};
    frames.push_back(frame.to_string());
  } while (frame.more());
  return frames;
}

// libzmq lets go of a closed socket's port a little later.
void bind_again(zmq::socket_t& socket, const std::string& address) {
  const bool bound = eventually([&] { return zmq_bind(socket.handle(), address.c_str()) == 0; });
  if (!bound) throw zmq::error_t();
}

}  // namespace

FakeBridge::FakeBridge() { start(); }
FakeBridge::~FakeBridge() { stop(); }

void FakeBridge::start() {
  sub_ = zmq::socket_t(context_, zmq::socket_type::sub);
  sub_.set(zmq::sockopt::rcvhwm, 0);
  sub_.set(zmq::sockopt::subscribe, "");
  router_ = zmq::socket_t(context_, zmq::socket_type::router);
  bind_again(sub_, events_address_);
  bind_again(router_, control_address_);
  events_address_ = sub_.get(zmq::sockopt::last_endpoint);
  control_address_ = router_.get(zmq::sockopt::last_endpoint);
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void FakeBridge::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  thread_.join();
  sub_.close();
  router_.set(zmq::sockopt::linger, 0);
  router_.close();
}

void FakeBridge::forget() {
  std::lock_guard lock(mutex_);
  have_ = 0;
  epoch_ = 0;
  waiting_.clear();
  promised_ = 0;
}

void FakeBridge::run() {
  while (!stopping_) {
    zmq::pollitem_t items[] = {{sub_.handle(), 0, ZMQ_POLLIN, 0}, {router_.handle(), 0, ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, std::chrono::milliseconds(10));
    std::lock_guard lock(mutex_);
    for (int i = 0; i < 1000; ++i) {
      const auto frames = receive(sub_);
      if (frames.empty()) break;
      const auto stamp = frames.size() == 4 ? decode_stamp(frames[2]) : std::nullopt;
      if (stamp && behaviour_.loses(stamp->seq)) continue;
      on_event(frames, 0);
    }
    for (int i = 0; i < 1000; ++i) {
      auto frames = receive(router_);
      if (frames.empty()) break;
      const std::string peer = frames.front();
      frames.erase(frames.begin());
      on_control(peer, frames);
    }
    advance();
  }
}

void FakeBridge::on_event(const std::vector<std::string>& frames, std::size_t first) {
  const auto stamp = frames.size() == first + 4 ? decode_stamp(frames[first + 2]) : std::nullopt;
  if (!stamp) return;
  const Received event{frames[first], frames[first + 1], *stamp, frames[first + 3]};
  if (stamp->seq <= have_ || !waiting_.emplace(stamp->seq, event).second) ++duplicates_;
}

void FakeBridge::on_control(const std::string& peer, const std::vector<std::string>& frames) {
  if (frames.size() == 5 && frames[0] == kControlEvent) {
    ++replayed_;
    return on_event(frames, 1);
  }
  const auto message = decode_from_producer(frames.at(0));
  if (!message) return;
  heard_.push_back(*message);
  peer_ = peer;
  producer_ = message->producer;
  using Kind = FromProducer::Kind;
  if (message->kind == Kind::gone) {
    lost_.emplace_back(message->from, message->to);
    have_ = std::max(have_, message->to);
  }
  if (message->kind != Kind::hello && message->kind != Kind::beat) return;
  if (epoch_ != message->epoch) {
    epoch_ = message->epoch;
    have_ = acked_ = std::min(message->first, message->acked + 1) - 1;
    promised_ = 0;
  }
  if (message->kind == Kind::hello && !greet()) return;
  repair(std::exchange(promised_, message->last));
}

bool FakeBridge::greet() {
  FromBridge answer;
  if (!behaviour_.refuses.empty()) {
    answer.kind = FromBridge::Kind::refused;
    answer.reason = behaviour_.refuses;
    send(answer);
    return false;
  }
  answer.seq = have_;
  send(answer);
  return true;
}

void FakeBridge::repair(Seq last) {
  if (!behaviour_.repairs || last <= have_ || waiting_.count(have_ + 1) != 0) return;
  FromBridge ask;
  ask.kind = FromBridge::Kind::replay;
  ask.from = have_ + 1;
  ask.to = waiting_.empty() ? last : waiting_.begin()->first - 1;
  send(ask);
}

void FakeBridge::advance() {
  for (auto next = waiting_.find(have_ + 1); next != waiting_.end(); next = waiting_.find(have_ + 1)) {
    stream_.push_back(next->second);
    waiting_.erase(next);
    ++have_;
  }
  if ((have_ == acked_ && lost_.empty()) || !behaviour_.acks) return;
  acked_ = have_;
  FromBridge ack;
  ack.kind = FromBridge::Kind::ack;
  ack.seq = have_;
  ack.lost = std::exchange(lost_, {});
  send(ack);
}

void FakeBridge::send(FromBridge message) {
  if (peer_.empty()) return;
  message.producer = producer_;
  message.epoch = epoch_;
  (void)router_.send(zmq::buffer(peer_), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  (void)router_.send(zmq::buffer(encode(message)), zmq::send_flags::dontwait);
}

void FakeBridge::set(const std::function<void(Behaviour&)>& change) {
  std::lock_guard lock(mutex_);
  change(behaviour_);
}

void FakeBridge::ask_for(Seq from, Seq to) {
  // A socket belongs to one thread at a time: take it, send, give it back.
  stopping_ = true;
  thread_.join();
  FromBridge ask;
  ask.kind = FromBridge::Kind::replay;
  ask.from = from;
  ask.to = to;
  send(ask);
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

std::vector<Received> FakeBridge::stream() const {
  std::lock_guard lock(mutex_);
  return stream_;
}

std::vector<FromProducer> FakeBridge::heard() const {
  std::lock_guard lock(mutex_);
  return heard_;
}

std::vector<FromProducer> FakeBridge::heard(FromProducer::Kind kind) const {
  std::vector<FromProducer> out;
  for (const FromProducer& message : heard()) {
    if (message.kind == kind) out.push_back(message);
  }
  return out;
}

std::size_t FakeBridge::replayed() const {
  std::lock_guard lock(mutex_);
  return replayed_;
}

std::size_t FakeBridge::duplicates() const {
  std::lock_guard lock(mutex_);
  return duplicates_;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace trestle::test
