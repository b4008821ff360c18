#pragma once
#include <string>
#include <vector>

#include "bridge/core/event.h"

namespace trestle {

/// The one stream behind the spine. Nobody else may assume that offsets are dense, or assigned here.
///
/// Owner: main.  Thread: the spine's.
class Stream {
 public:
  virtual ~Stream() = default;

  /// The life of the numbering, a decimal string.
  virtual const std::string& epoch() const = 0;
  /// The newest offset; 0 before the first event.
  virtual Offset head() const = 0;
  /// Gives every event its offset, rising, and keeps what its policy says. When this returns the batch may be
  /// delivered.
  virtual void append(std::vector<Event>& events) = 0;
};

}  // namespace trestle
