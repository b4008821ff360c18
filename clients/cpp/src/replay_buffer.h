#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proto/types.h"
#include "trestle/producer.h"

namespace trestle::client {

/// One published event on its way; immutable and shared with libzmq until the last bridge has it.
struct OutEvent {
  Seq seq = 0;
  Micros time = 0;
  std::string topic;  ///< empty: the bridge completes it
  std::string payload;
  std::size_t size() const { return topic.size() + payload.size(); }
};
using OutEventPtr = std::shared_ptr<const OutEvent>;

/// Inclusive.
using Range = std::pair<Seq, Seq>;

/// What the I/O thread knows of one bridge.
struct BridgeReport {
  std::string name;      ///< its control address
  bool required = true;  ///< an event is kept until this bridge has acked it
  bool answering = false;
  Seq acked = 0;
  std::string refusal;  ///< not empty: it does not want us, in words for the user

  bool operator==(const BridgeReport& other) const {
    return required == other.required && answering == other.answering && acked == other.acked &&
           refusal == other.refusal && name == other.name;
  }
};

/// Part of the buffer, and where the buffer starts now.
struct Slice {
  Seq first = 1;  ///< oldest seq held; one past the newest when nothing is held
  Seq last = 0;   ///< newest seq made
  std::vector<OutEventPtr> events;
};

/// The events that a bridge may still ask for, numbered without holes, and what each bridge has acked: the
/// one place where the caller's threads and the I/O thread meet. No call does I/O; the lock is held for a few
/// instructions each time.
///
/// Bound: Limits. An event leaves once every required bridge has acked it, provided there is a required
/// bridge: with nobody there at all, everything is kept until the buffer is full.
class ReplayBuffer {
 public:
  struct Limits {
    std::size_t events = 0;
    std::size_t bytes = 0;
    WhenFull when_full = WhenFull::block;
  };
  explicit ReplayBuffer(Limits limits) : limits_(limits) {}

  // Any thread.

  struct Added {
    Seq seq = 0;
    bool wake = false;  ///< the I/O thread sleeps and must be woken by the caller
  };
  /// Throws what Producer::publish() promises.
  Added add(std::string topic, std::string payload);
  Flushed flush(std::chrono::milliseconds timeout);
  bool answering() const;

  // The I/O thread.

  /// Events from `from` to `to`, oldest first, as many as fit both bounds, but at least one if there is one.
  /// What is no longer held is left out.
  Slice slice(Seq from, Seq to, std::size_t max_events, std::size_t max_bytes) const;
  /// Announces that the I/O thread is about to sleep. False if it must not: an event with seq >= `next` is
  /// there. `next` = 0: new events are of no interest, nobody could take them.
  bool sleep(Seq next);
  void awake();
  /// Takes the bridges' state, forgets what all required ones have, and tells those who wait.
  void update(std::vector<BridgeReport> reports, const std::vector<Range>& lost);
  /// The I/O thread can't go on; every later add() and flush() throws std::runtime_error with this text.
  void fail(std::string why);

 private:
  bool has_room(std::size_t bytes) const;
  bool acked(Seq target) const;
  bool troubled() const;
  void throw_trouble() const;
  void make_room(std::unique_lock<std::mutex>& lock, std::size_t bytes);
  void forget_first();
  std::string missing(Seq target) const;

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<OutEventPtr> events_;  // seqs first_ .. first_ + size - 1
  Seq first_ = 1;
  std::size_t bytes_ = 0;
  bool asleep_ = false;
  std::vector<BridgeReport> bridges_;
  std::vector<Range> lost_;  // as reported, at most kMaxLost
  std::string failure_;
};

}  // namespace trestle::client
