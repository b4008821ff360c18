#include "clients/cpp/src/io_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>

namespace trestle::client {
namespace {

using std::chrono::milliseconds;

// How long a producer that ends waits for somebody to take what is queued; with the sockets' linger it stays
// below a second.
constexpr milliseconds kFarewell{700};
// How soon to look again when libzmq is full: it has no way to call us.
constexpr milliseconds kCongested{5};
constexpr std::size_t kMaxHwm = 1'000'000;

TimePoint now() { return std::chrono::steady_clock::now(); }

// Signals are for the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

IoThread::IoThread(const ProducerOptions& options, Identity identity, ReplayBuffer& buffer)
    : identity_(std::move(identity)),
      beat_(options.beat),
      in_flight_limit_(options.buffer_bytes),
      buffer_(buffer),
      next_beat_(now()) {
  open(options);
  report();
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

IoThread::~IoThread() {
  stopping_ = true;
  waker_.wake();
  thread_.join();
}

void IoThread::open(const ProducerOptions& options) {
  // What is unacked fits into the event socket as a whole, so that a burst is never dropped on our side of
  // the wire.
  const std::size_t hwm = std::min(options.buffer_events, kMaxHwm);
  const CurveKeys keys = options.key_file.empty() ? CurveKeys{} : load_keys(options.key_file);
  std::string address = "of the event socket";
  try {
    events_ = std::make_unique<EventSocket>(context_, options.bridges, keys, hwm);
    for (const BridgeAddress& bridge : options.bridges) {
      address = bridge.control;
      bridges_.push_back(std::make_unique<BridgeLink>(context_, bridge, keys, identity_,
                                                      BridgeState::Timing{options.silence, options.takeover},
                                                      in_flight_, now()));
    }
  } catch (const zmq::error_t& error) {
    throw std::invalid_argument("bridge address " + address + ": " + error.what() +
                                "; use tcp://host:port or ipc://path");
  }
}

void IoThread::run() {
  try {
    while (!stopping_) {
      wait();
      turn();
    }
    finish();
  } catch (const std::exception& error) {
    buffer_.fail(std::string("the producer's I/O thread stopped: ") + error.what());
  }
}

void IoThread::turn() {
  more_ = congested_ = false;
  events_->read_subscriptions();
  read_bridges();
  beat_when_due();
  if (open_for_events()) publish();
  answer_replays();
  report();
}

void IoThread::wait() {
  milliseconds timeout = more_ ? milliseconds(0) : until_next_beat();
  if (congested_) timeout = std::min(timeout, kCongested);
  if (timeout.count() > 0 && !buffer_.sleep(open_for_events() && !congested_ ? next_ : 0))
    timeout = milliseconds(0);

  items_.clear();
  items_.push_back({nullptr, waker_.fd(), ZMQ_POLLIN, 0});
  items_.push_back({events_->socket().handle(), 0, ZMQ_POLLIN, 0});
  for (auto& bridge : bridges_) bridge->add_poll_items(items_);
  try {
    zmq::poll(items_, timeout);
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
  }
  buffer_.awake();
  if ((items_.front().revents & ZMQ_POLLIN) != 0) waker_.drain();
}

void IoThread::read_bridges() {
  for (auto& bridge : bridges_) {
    BridgeState::Effect effect = bridge->read(buffer_, now());
    lost_.insert(lost_.end(), effect.lost.begin(), effect.lost.end());
    // What was on its way when a connection broke did not arrive. A single bridge gets it again at once,
    // without having to ask; with several, the others would see it twice, so they ask.
    if (effect.joined && bridges_.size() == 1) next_ = std::min(next_, *effect.joined + 1);
    bridge->greet(buffer_);
  }
}

void IoThread::beat_when_due() {
  const TimePoint at = now();
  if (at < next_beat_) return;
  next_beat_ = at + beat_;
  for (auto& bridge : bridges_) bridge->beat(buffer_, at);
}

void IoThread::publish() {
  if (in_flight_.load(std::memory_order_relaxed) > in_flight_limit_) {
    congested_ = true;
    return;
  }
  const Slice slice = buffer_.slice(next_, kIntegerLimit, kBatchEvents, kBatchBytes);
  // What was dropped meanwhile is a hole to the bridge, which asks for it and is told that it is gone.
  next_ = std::max(next_, slice.first);
  for (const OutEventPtr& event : slice.events) {
    if (!send_event(events_->socket(), identity_.producer, identity_.epoch, event, false, in_flight_)) break;
    next_ = event->seq + 1;
  }
  more_ = more_ || next_ <= slice.last;
}

void IoThread::answer_replays() {
  for (auto& bridge : bridges_) {
    if (bridge->answer_replay(buffer_)) more_ = true;
  }
}

void IoThread::report() {
  std::vector<BridgeReport> reports;
  reports.reserve(bridges_.size());
  for (auto& bridge : bridges_) reports.push_back(bridge->state().report(now()));
  if (reports == reported_ && lost_.empty()) return;
  buffer_.update(reports, lost_);
  reported_ = std::move(reports);
  lost_.clear();
}

bool IoThread::open_for_events() const {
  // Before a welcome the bridge would refuse them, and without a subscriber libzmq throws them away.
  return events_->has_subscriber() && std::any_of(bridges_.begin(), bridges_.end(), [](const auto& bridge) {
           return bridge->state().welcomed();
         });
}

bool IoThread::everything_sent() const { return buffer_.slice(next_, kIntegerLimit, 1, 1).events.empty(); }

milliseconds IoThread::until_next_beat() const {
  const auto left = std::chrono::ceil<milliseconds>(next_beat_ - now());
  return std::max(left, milliseconds(0));
}

void IoThread::finish() {
  const TimePoint deadline = now() + kFarewell;
  while (!everything_sent() && now() < deadline) {
    next_beat_ = std::min(next_beat_, deadline);
    wait();
    turn();
  }
  const Seq last = buffer_.slice(0, 0, 0, 0).last;
  for (auto& bridge : bridges_) bridge->bye(last);
}

}  // namespace trestle::client
