#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/event.h"
#include "proto/pattern.h"
#include "proto/reject.h"

namespace trestle {

enum class Keep {
  none,    ///< live only
  latest,  ///< the newest event of each topic: the snapshot
  log,     ///< can be replayed
};
enum class UnderPressure {
  close,  ///< a session that can't keep up is closed with its cursor
  drop,   ///< may be left out, named by one gap
  merge,  ///< may be joined with the event directly before it
};

/// What is kept of a policy's events; whatever is unset does not limit.
struct Retain {
  std::optional<std::chrono::seconds> age;
  std::optional<std::size_t> count;
  std::optional<std::size_t> bytes;
};

/// What a topic pattern is worth: what is kept, and what may be given up under pressure.
struct Policy {
  Pattern match;
  Keep keep = Keep::log;
  std::string key;  ///< JSON pointer to the key, empty if the type has none
  std::optional<Pattern>
      until;  ///< latest only: an event that matches, with the same last segment, ends the topic
  Retain retain;
  UnderPressure under_pressure = UnderPressure::close;
  std::string merge;                  ///< JSON pointer to the string that merging concatenates
  std::vector<std::string> merge_by;  ///< JSON pointers that must be equal
};

/// The policies Trestle ships (design, section 4). The last one matches every topic without `$`.
std::vector<Policy> builtin_policies();

/// An ordered list of policies, first match wins. Immutable after construction; any thread.
class PolicyTable {
 public:
  /// `own` come before the built-in ones.
  explicit PolicyTable(std::vector<Policy> own);

  /// The policy for a topic. A policy for `<type>.*` applies to the bare type too. Always finds one: what
  /// nothing matches (a `$` topic of no policy) gets a `keep: none`.
  const Policy& find(std::string_view topic) const;
  /// The policy that says where the key of events of this type is: the first with a key whose leading
  /// segments are the type. nullptr if none.
  const Policy* key_policy(std::string_view type_topic) const;

  const std::vector<Policy>& all() const { return policies_; }
  /// Which topics are the policy's, as a text to compare over changes of the configuration: its pattern, and
  /// those before it that may take topics from it. Equal texts mean equal topics.
  std::string claim(const Policy& policy) const;
  /// Distinct keys of all policies, in the order that key_index() counts in; for EventChecker::make.
  const std::vector<std::string>& keys() const { return keys_; }
  /// Where a policy's key stands in keys(); only for policies of this table that have a key.
  std::size_t key_index(const Policy& policy) const;

 private:
  std::vector<Policy> policies_;
  std::vector<std::string> keys_;
  Policy fallback_;
};

}  // namespace trestle
