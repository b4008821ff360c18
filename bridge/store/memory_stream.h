#pragma once
#include "bridge/core/stream.h"

namespace trestle {

/// The stream without a journal: numbers from 1, and each start of the bridge is a new epoch.
///
/// Thread: the spine's.
class MemoryStream final : public Stream {
 public:
  /// `started` names the epoch: two starts never share a microsecond.
  explicit MemoryStream(Micros started);

  const std::string& epoch() const override { return epoch_; }
  Offset head() const override { return head_; }
  void append(std::vector<Event>& events) override;

 private:
  const std::string epoch_;
  Offset head_ = 0;
};

}  // namespace trestle
