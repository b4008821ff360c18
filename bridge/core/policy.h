#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/rights.h"
#include "proto/event.h"
#include "proto/pattern.h"
#include "proto/redaction.h"
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

  bool is_limited() const { return age || count || bytes; }
};

/// Members that are removed for sessions without a scope; in a snapshot or a replay too, of whatever age.
struct Redact {
  std::vector<std::string> members;  ///< JSON pointers, see Redaction; none: nothing is redacted
  std::string unless;                ///< who has see:<unless> gets them; empty: only who has see or admin
};

/// A set of the names that redactions are `unless`, each a bit: what is hidden from a session.
using Hidden = std::uint64_t;

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
  Redact redact;
  std::shared_ptr<const Redaction>
      redaction;      ///< of `redact`, made by the PolicyTable; nullptr if nothing is redacted
  Hidden hidden = 0;  ///< the one bit of redact.unless; 0 if nothing is redacted
};

/// The policies Trestle ships (design, section 4). The last one matches every topic without `$`.
std::vector<Policy> builtin_policies();

/// An ordered list of policies, first match wins. Immutable after construction; any thread.
class PolicyTable {
 public:
  static constexpr std::size_t kMaxUnless = 64;

  /// `own` come before the built-in ones. Throws std::invalid_argument if a policy redacts what is no JSON
  /// pointer, or there are over kMaxUnless different `unless`, which loading the configuration rules out.
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
  /// What the policies hide from who has these rights.
  Hidden hidden_from(const Rights& rights) const;
  /// Distinct keys of all policies, in the order that key_index() counts in; for EventChecker::make.
  const std::vector<std::string>& keys() const { return keys_; }
  /// Where a policy's key stands in keys(); only for policies of this table that have a key.
  std::size_t key_index(const Policy& policy) const;

 private:
  void prepare_redaction(Policy& policy);

  std::vector<Policy> policies_;
  std::vector<std::string> keys_;
  std::vector<std::string> unless_;  // the i-th is the i-th bit of Hidden
  Policy fallback_;
};

}  // namespace trestle
