#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "proto/control.h"
#include "proto/stamp.h"
#include "trestle/producer.h"

namespace trestle::test {

struct Received {
  std::string topic;
  std::string producer;
  Stamp stamp;
  std::string payload;
};

/// How a FakeBridge treats its producers; may be changed while it runs.
struct Behaviour {
  bool acks = true;
  bool repairs = true;
  std::string refuses;                                         ///< a reason; empty: it does not
  std::function<bool(Seq)> loses = [](Seq) { return false; };  ///< events that the event socket loses
};

/// The bridge's half of wire A for one producer, on real sockets, with the faults a test asks for. It knows
/// nothing of trestled, so that the producer is tested against the words of the protocol.
///
/// Thread-safe; the sockets live on a thread of its own.
class FakeBridge {
 public:
  FakeBridge();
  ~FakeBridge();

  BridgeAddress address() const { return {events_address_, control_address_}; }
  void set(const std::function<void(Behaviour&)>& change);
  /// A crash: connections break. start() takes the same addresses again.
  void stop();
  void start();
  /// What a restart without a journal forgets.
  void forget();
  /// Asks for something nobody missed.
  void ask_for(Seq from, Seq to);

  std::vector<Received> stream() const;     ///< in order, without holes
  std::vector<FromProducer> heard() const;  ///< control messages
  std::vector<FromProducer> heard(FromProducer::Kind kind) const;
  std::size_t replayed() const;  ///< events that came over the control socket
  std::size_t duplicates() const;

 private:
  void run();
  void on_event(const std::vector<std::string>& frames, std::size_t first);
  void on_control(const std::string& peer, const std::vector<std::string>& frames);
  bool greet();  ///< false: refused
  void advance();
  void repair(Seq last);  // a beat can overtake events, so only what the beat before the last one promised
  void send(FromBridge message);

  std::string events_address_ = "tcp://127.0.0.1:*";
  std::string control_address_ = "tcp://127.0.0.1:*";
  zmq::context_t context_;
  zmq::socket_t sub_, router_;

  mutable std::mutex mutex_;
  Behaviour behaviour_;
  std::map<Seq, Received> waiting_;
  std::vector<Received> stream_;
  std::vector<FromProducer> heard_;
  std::vector<std::pair<Seq, Seq>> lost_;
  std::string peer_, producer_;
  std::uint64_t epoch_ = 0;
  Seq have_ = 0, acked_ = 0, promised_ = 0;
  std::size_t replayed_ = 0, duplicates_ = 0;

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Looks again and again until it is true; false after `limit`.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::milliseconds(10'000));

}  // namespace trestle::test
