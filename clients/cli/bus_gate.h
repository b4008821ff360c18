#pragma once
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <vector>
#include <zmq.hpp>

#include "bridge/core/rejections.h"
#include "bridge/ingest/zap.h"
#include "proto/event.h"

namespace trestle::cli {

/// Decides which messages of producers a bus passes on, by the key of each one's connection: bridges behind
/// the bus see the bus's key only, so that what a producer's key allows must be looked at here. Whatever is
/// wrong with an event itself is the bridges' business.
///
/// A bus knows no policies, so it can't tell the key that a bridge would put into a topic: whoever may
/// publish some topics only must name the whole topic, unless all topics of the event's type are allowed.
///
/// Thread: the bus's.
class BusGate {
 public:
  /// One more than any message has.
  static constexpr std::size_t kMostFrames = 5;

  explicit BusGate(std::shared_ptr<const ProducerWatch> producers);

  /// Takes the newest list of producers.
  void refresh() { gate_.refresh(); }
  /// `frames` as received, at least one. What does not pass is counted.
  bool lets_through(std::vector<zmq::message_t>& frames);
  /// Prints what was refused, each reason at most once a second.
  void report(std::ostream& out);
  std::uint64_t refused() const { return refused_; }

 private:
  bool is_allowed_topic(const ProducerGrant& grant, std::string_view topic, std::string_view payload);
  bool refuse(Reject why, std::string_view detail);

  ProducerGate gate_;
  EventChecker checker_;
  Rejections rejections_;
  std::uint64_t refused_ = 0;
};

}  // namespace trestle::cli
