#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "bridge/core/event.h"
#include "bridge/core/intake.h"
#include "bridge/core/producer_grant.h"
#include "bridge/core/producers.h"
#include "bridge/core/rejections.h"
#include "bridge/core/stream.h"

namespace trestle {

/// The one writer of the stream: checks what producers send, puts each producer's events in order, numbers,
/// keeps, and says what to deliver and what to answer. It decides; bridge/ingest does.
///
///     messages ─► message(), control() ─► commit() ─► batch for the shards, answers for the producers
///
/// Thread: one, its owner's.  Bound: what is taken between two commits is up to the caller; the rest by its
/// parts.
class Spine {
 public:
  struct Counters {
    std::uint64_t events = 0;  ///< appended to the stream, the bridge's own included
    std::uint64_t bytes = 0;   ///< of their payloads
    std::uint64_t lost = 0;    ///< sequenced events given up
    std::uint64_t deferred =
        0;  ///< sequenced events dropped under overload or from a full hold, to be repaired
    std::uint64_t undelivered = 0;  ///< answers that no producer could take
  };
  struct Output {
    BatchPtr batch;  ///< nullptr if there is nothing to deliver
    std::vector<ToProducer> to_producers;
    std::vector<Rejections::Report> reports;  ///< for the log
  };

  /// `policies` and `stream` outlive the spine.
  Spine(const PolicyTable& policies, EventLimits limits, Stream& stream, ProducerLimits producer_limits = {});

  /// One multipart message of the event socket, from somebody who may do what `grant` says; nullptr:
  /// everything. While `overloaded` (the shards are behind) nothing is taken: plain events are counted as
  /// rejected, sequenced ones will be asked for again.
  void message(const std::vector<std::string_view>& frames, Now now, bool overloaded,
               const ProducerGrant* grant = nullptr);
  /// One message of the control socket, without the routing id; a replayed event is dropped while overloaded
  /// too, and so is any other once many answers wait for the next commit.
  void control(std::string_view peer, const std::vector<std::string_view>& frames, Now now, bool overloaded,
               const ProducerGrant* grant = nullptr);
  /// A message that was refused before anybody looked into it.
  void refuse(Reject why, std::string_view detail) { rejections_.add(why, detail); }
  /// Lets time pass; call at least every 50 ms.
  void tick(Now now);
  /// Appends what has come to the stream, and only then says what to deliver and to answer.
  Output commit(Now now);

  /// An answer that could not be sent, see Producers::undelivered().
  void undelivered(const ToProducer& answer, bool unreachable);

  /// What an earlier start knew of producers; before anything else.
  void restore(const std::vector<ProducerMark>& producers, Now now);

  const Stream& stream() const { return stream_; }
  bool acks_pending() const { return producers_.acks_pending(); }
  const Counters& counters() const { return counters_; }
  const Rejections& rejections() const { return rejections_; }
  std::vector<Producers::Info> producers(Now now) const { return producers_.list(now); }

 private:
  void take(const Published& message, Reject why, Now now, const ProducerGrant* grant);
  void tell_health(Now now);
  BatchPtr append_ready(Now now);

  const PolicyTable& policies_;
  Stream& stream_;
  Intake intake_;
  Rejections rejections_;
  Producers producers_;
  Ready ready_;
  std::vector<Rejections::Report> reports_;
  Counters counters_;
  std::string told_trouble_;
  std::uint64_t counted_drops_ = 0;  // from holds, in counters_.deferred
};

}  // namespace trestle
