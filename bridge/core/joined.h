#pragma once
#include <cstddef>
#include <string>
#include <utility>

#include "bridge/core/event.h"
#include "bridge/core/pressure.h"

namespace trestle {

/// Events of a `merge` topic that came one after the other, and are one to a client: the newest, with the
/// texts of those before it ahead of its own.
///
/// Cost: joining takes the time of the new text, whatever has joined already; the whole is put together when
/// it is asked for.  Bound: kMax, and the newest event.  Owner: an outbox.
class Joined {
 public:
  /// Bytes of payload; what would grow beyond that starts anew. So a frame that grows again after it was
  /// looked at is soon made again.
  static constexpr std::size_t kMax = 32 * 1024;

  explicit Joined(Pressure::MergeablePtr first) : newest_(std::move(first)) {}

  /// Takes `newer` in. False, and nothing changes, unless they are of one topic, `merge_by` is equal and the
  /// result is not too big.
  bool join(const Pressure::MergeablePtr& newer);
  const EventPtr& newest() const { return newest_->event; }
  /// Bytes of whole()'s payload.
  std::size_t payload_size() const { return newest_->event->payload.size() + before_.size(); }
  /// All as one event.
  EventPtr whole() const;

 private:
  Pressure::MergeablePtr newest_;
  std::string before_;  // the texts ahead of the newest one's
};

}  // namespace trestle
