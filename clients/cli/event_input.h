#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "proto/event.h"

namespace trestle::cli {

/// Checks events as the bridge will, so that a mistake is named here, with its line, and not only counted
/// there.
class EventInput {
 public:
  /// `topic` is the one that all events are published to; empty: the bridge makes it.
  explicit EventInput(std::string topic);

  /// Why the bridge would refuse the event, in words; nothing if it would not.
  std::optional<std::string> problem(std::string_view event);

 private:
  const std::string topic_;
  EventChecker checker_;
};

}  // namespace trestle::cli
