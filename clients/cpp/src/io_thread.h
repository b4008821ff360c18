#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "clients/cpp/src/bridge_link.h"
#include "clients/cpp/src/replay_buffer.h"
#include "clients/cpp/src/sockets.h"
#include "trestle/producer.h"

namespace trestle::client {

/// The producer's one background thread: sends what is in the buffer, beats, answers replays and takes acks.
///
/// Owner: the Producer. wake() may be called from any thread; the rest runs on the thread itself.
class IoThread {
 public:
  /// Opens the sockets and starts. Throws std::invalid_argument for an address that can't be one.
  IoThread(const ProducerOptions& options, Identity identity, ReplayBuffer& buffer);
  /// Sends what is queued for as long as somebody may still take it, says bye, and joins, all within a
  /// second.
  ~IoThread();

  void wake() { waker_.wake(); }

 private:
  void open(const ProducerOptions& options);
  void run();
  void turn();
  void wait();
  void read_bridges();
  void beat_when_due();
  void publish();
  void answer_replays();
  void report();
  void finish();

  bool open_for_events() const;
  bool everything_sent() const;
  std::chrono::milliseconds until_next_beat() const;

  static constexpr std::size_t kBatchEvents = 512;
  static constexpr std::size_t kBatchBytes = 1024 * 1024;

  const Identity identity_;
  const std::chrono::milliseconds beat_;
  const std::size_t in_flight_limit_;
  ReplayBuffer& buffer_;
  InFlight in_flight_{0};  // before the context, whose last thread counts it down
  Waker waker_;
  zmq::context_t context_{1};
  std::unique_ptr<EventSocket> events_;
  std::vector<std::unique_ptr<BridgeLink>> bridges_;
  std::vector<zmq::pollitem_t> items_;

  Seq next_ = 1;            // the first event not yet sent on the event socket
  bool more_ = false;       // work was left over, so the next wait is none
  bool congested_ = false;  // libzmq holds as much as it may: look again soon
  TimePoint next_beat_;
  std::vector<BridgeReport> reported_;
  std::vector<Range> lost_;  // to be reported

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace trestle::client
