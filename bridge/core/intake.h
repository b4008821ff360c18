#pragma once
#include <string>
#include <string_view>
#include <unordered_map>

#include "bridge/core/event.h"
#include "bridge/core/policy.h"
#include "proto/event.h"
#include "proto/message.h"
#include "proto/reject.h"

namespace trestle {

/// Turns what a producer sent into an event with its topic and policy, or names why not. A payload is checked
/// exactly once.
///
/// Thread: the spine's.  Bound: two caches of at most kMaxCached entries, emptied when full.
class Intake {
 public:
  static constexpr std::size_t kMaxCached = 65'536;

  /// `policies` outlives the intake and every event it makes. Throws std::invalid_argument if a policy's key
  /// is no JSON pointer, which loading the configuration rules out.
  Intake(const PolicyTable& policies, EventLimits limits);

  /// Fills everything of `out` but offset and append time. Reject::none on success.
  Reject check(const Published& message, Micros arrived, Event& out);

 private:
  struct TypeInfo {
    std::string topic;              // empty: can't be a topic
    const Policy* keyed = nullptr;  // says where the key is
    std::size_t key_index = 0;
    bool reserved = false;
  };
  const TypeInfo& info_of(const std::string& type);
  Reject complete_topic(const TypeInfo& type, std::string& topic) const;
  const Policy* policy_of(const std::string& topic);

  const PolicyTable& policies_;
  EventChecker checker_;
  std::unordered_map<std::string, TypeInfo> types_;
  std::unordered_map<std::string, const Policy*> topics_;
};

}  // namespace trestle
