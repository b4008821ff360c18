#pragma once
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/src/replay_buffer.h"
#include "proto/control.h"

namespace trestle::client {

using TimePoint = std::chrono::steady_clock::time_point;

/// What one bridge has told us and what we owe it. Pure: takes the bridge's messages and the time, and
/// decides; the link does the sending.
///
/// Owner: the I/O thread. Bound: kMaxReplays ranges are remembered; a bridge that asks for more asks again.
class BridgeState {
 public:
  static constexpr std::size_t kMaxReplays = 128;

  struct Timing {
    std::chrono::milliseconds silence;   ///< see ProducerOptions
    std::chrono::milliseconds takeover;  ///< see ProducerOptions
  };
  /// What a message asks of the I/O thread beyond what stays in here.
  struct Effect {
    std::optional<Seq> joined;  ///< the first welcome of a connection: the bridge has everything up to this
    std::vector<Range> lost;    ///< given up by the bridge
  };

  BridgeState(std::string name, Timing timing, TimePoint now);

  /// `last` is the newest seq made; what lies beyond is nonsense and cut off.
  Effect on(const FromBridge& message, Seq last, TimePoint now);
  void disconnected();

  bool welcomed() const { return welcomed_; }
  /// True if `hello` should be said instead of `beat`: no welcome on this connection yet, or a third of the
  /// silence has passed without a word. An idle bridge owes no answer to a beat, but it does to a hello.
  bool should_greet(TimePoint now) const;
  Seq acked() const { return acked_; }
  BridgeReport report(TimePoint now);

  /// The range to be answered next, nullptr if none.
  const Range* replay() const { return replays_.empty() ? nullptr : &replays_.front(); }
  /// Everything of it up to `seq` has been answered.
  void answered(Seq seq);

 private:
  void welcome(const FromBridge& message, Seq last, Effect& effect);
  void ack(const FromBridge& message, Seq last, Effect& effect);
  void ask(Range range, Seq last);
  void refuse(const std::string& reason, TimePoint now);
  std::string refusal(TimePoint now) const;

  const std::string name_;
  const Timing timing_;
  TimePoint heard_;
  bool welcomed_ = false;
  bool required_ = true;
  Seq acked_ = 0;
  std::string refused_;  // the bridge's latest reason, empty since its latest welcome
  TimePoint refused_since_;
  std::deque<Range> replays_;
};

}  // namespace trestle::client
