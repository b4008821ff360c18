#include "bridge/core/lost_ranges.h"

#include <algorithm>

namespace trestle {

void LostRanges::add(SeqRange range) {
  if (has_news() && ranges_.back().second + 1 == range.first) {
    ranges_.back().second = range.second;
    return;
  }
  ranges_.push_back(range);
  shrink(kMax);
}

std::vector<SeqRange> LostRanges::tell() {
  const std::vector<SeqRange> news(ranges_.begin() + static_cast<std::ptrdiff_t>(told_), ranges_.end());
  told_ = ranges_.size();
  return news;
}

void LostRanges::heard(Seq acked) {
  const auto open = std::find_if(ranges_.begin(), ranges_.end(),
                                 [&](const SeqRange& range) { return range.second > acked; });
  told_ -= std::min(told_, static_cast<std::size_t>(open - ranges_.begin()));
  ranges_.erase(ranges_.begin(), open);
  if (!ranges_.empty()) ranges_.front().first = std::max(ranges_.front().first, acked + 1);
}

void LostRanges::shrink(std::size_t most) {
  while (ranges_.size() > most) merge_oldest();
}

void LostRanges::merge_oldest() {
  ranges_[1].first = ranges_[0].first;
  ranges_.erase(ranges_.begin());
  // Told only if both were.
  told_ = told_ >= 2 ? told_ - 1 : 0;
}

}  // namespace trestle
