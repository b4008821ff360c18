#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "proto/types.h"

namespace trestle {

/// An inclusive range of seqs.
using SeqRange = std::pair<Seq, Seq>;

/// What a producer has to be told is lost. An ack can miss it, on a full queue or a connection that breaks,
/// so a range is kept after it was told, until the producer says an `acked` that covers it.
///
/// Bound: kMax ranges. Beyond that the two oldest become one, which overstates the loss: less harm than a
/// producer that believes everything arrived.
class LostRanges {
 public:
  static constexpr std::size_t kMax = 256;

  /// `range` lies behind all before it.
  void add(SeqRange range);
  /// True if some range has to be told.
  bool has_news() const { return told_ < ranges_.size(); }
  /// What has to be told now; it counts as told from here on.
  std::vector<SeqRange> tell();
  /// The producer has heard all that was told up to `acked`.
  void heard(Seq acked);
  /// What was told may have missed its producer: all of it is news again.
  void repeat() { told_ = 0; }
  /// Keeps at most that many ranges.
  void shrink(std::size_t most);

 private:
  void merge_oldest();

  std::vector<SeqRange> ranges_;  // rising
  std::size_t told_ = 0;          // so many of them were told
};

}  // namespace trestle
