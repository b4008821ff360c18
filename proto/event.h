#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/reject.h"
#include "proto/result.h"

namespace trestle {

/// Limits an event's payload is checked against.
struct EventLimits {
  std::size_t max_bytes = 512 * 1024;
  std::size_t max_depth = 64;  ///< the event's own object is level 1
};

/// What was found at one of the JSON pointers asked for.
struct Found {
  enum class State {
    absent,     ///< nothing there
    value,      ///< a string or a number, see `text`
    other,      ///< anything else: an object, an array, true, false, null
    duplicate,  ///< a member on the way occurs twice: parsers differ on which counts
  };
  State state = State::absent;
  /// A string's content (unescaped), a number as it is written. The escape of a lone low surrogate, "\udc00",
  /// comes out as three bytes that are not UTF-8 (RapidJSON refuses only the high ones); escape_key() and
  /// append_json_string() take that.
  std::string text;
  /// What is there as it is written, a string with its quotes; a view into the payload that was checked.
  /// Empty if `state` is absent, meaningless if it is duplicate.
  std::string_view raw;
};

/// Checks a payload once, with a SAX reader, and never changes it: UTF-8, JSON (RFC 8259; nothing may follow
/// the value, not even a NUL), an object, within EventLimits, with exactly one string member `type`. On the
/// way it notes what stands at a fixed set of JSON pointers (RFC 6901), so that keys cost no second pass.
///
/// Owner: one thread. Buffers are reused from call to call. Cost: one pass, no allocation in the steady
/// state.
class EventChecker {
 public:
  /// `pointers` are RFC 6901 texts such as "/taskConfig/id", at most 64 of them; a malformed one is an error.
  static Result<EventChecker> make(EventLimits limits, const std::vector<std::string>& pointers);
  EventChecker(EventChecker&&) noexcept;
  EventChecker& operator=(EventChecker&&) noexcept;
  ~EventChecker();

  /// Reject::none, or too_big, invalid_utf8, not_json, not_object, too_deep, no_type, duplicate_member (for
  /// `type` only; a pointer's duplicate is reported by at()). Never throws; never recurses.
  Reject check(std::string_view payload);

  /// The event's type, unescaped. Valid after a check() that returned none, until the next.
  const std::string& type() const;
  /// What stood at the i-th pointer given to make(). Same validity.
  const Found& at(std::size_t i) const;

 private:
  struct Impl;
  explicit EventChecker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trestle
