#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "bridge/core/ports.h"
#include "bridge/core/rate_meter.h"
#include "bridge/core/spine.h"
#include "bridge/ingest/zmq_sockets.h"

namespace trestle {

/// Drives the spine: reads the two ZeroMQ sockets in batches, commits each batch, delivers it, answers
/// producers. It never stops reading; when the shards are behind it discards, counted, instead of letting
/// ZeroMQ drop in silence.
///
/// Thread: one of its own, on which the spine runs. start(), stop() and probe() may be called from any.
class ZmqIngest final : public SpineProbe {
 public:
  /// `spine` and `sink` outlive it.
  ZmqIngest(Spine& spine, BatchSink& sink);
  ~ZmqIngest() override;

  /// Opens the sockets; errors are for the operator.
  Result<std::monostate> open(const IngestSettings& settings);
  void start();
  /// Ends the loop after what is at hand and waits for the thread.
  void stop();

  /// Reads the list of producers' keys again; without CURVE there is none. Any thread, after open().
  void reload_producers();

  void probe(std::function<void(const SpineStatus&)> answer) override;

 private:
  static constexpr std::size_t kEventsPerBatch = 512;
  static constexpr std::size_t kControlsPerBatch = 64;
  static constexpr std::size_t kMaxFrames = 8;  // of a message that is kept; more can only be wrong

  void run();
  void turn();
  void wait_for_input();
  void read_events(Now now, bool overloaded);
  void read_controls(Now now, bool overloaded);
  bool receive(zmq::socket_t& socket);
  bool let_in(bool perhaps_dialed);
  void commit(Now now);
  bool answer(const ToProducer& message);
  void answer_probes(Now now);

  Spine& spine_;
  BatchSink& sink_;
  std::unique_ptr<ZmqSockets> sockets_;
  bool dials_ = false;                    // under CURVE, events from there carry no key: we know theirs
  std::vector<zmq::message_t> parts_;     // of the message at hand
  std::vector<std::string_view> frames_;  // views of parts_
  std::optional<ProducerGate> gate_;      // under CURVE
  const ProducerGrant* grant_ = nullptr;  // of the message at hand; nullptr: may do everything
  std::chrono::steady_clock::time_point ticked_{};
  RateMeter rate_;
  std::uint64_t metered_ = 0;
  int events_fd_ = -1;  // the sockets' own: readable when there may be something new
  int control_fd_ = -1;
  bool events_wait_ = true;    // the socket may have more to read
  bool controls_wait_ = true;  // the same
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::function<void(const SpineStatus&)>> probes_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace trestle
