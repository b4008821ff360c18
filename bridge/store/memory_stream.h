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

  EpochPtr epoch() const override { return epoch_; }
  Offset head() const override { return head_; }
  const std::string& trouble() const override { return no_trouble_; }
  Past restore() override { return {}; }
  void append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
              const std::vector<ProducerMark>& marks) override;
  void tick(Now) override {}

 private:
  const EpochPtr epoch_;
  const std::string no_trouble_;
  Offset head_ = 0;
};

}  // namespace trestle
