#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/json_pointer.h"
#include "proto/result.h"

namespace trestle {

/// Members of events that not everybody may see: takes them out of the JSON.
///
/// They are named by JSON pointers (RFC 6901) in which `*` is every member of an object and every element of
/// an array. A member goes with its name and one comma; an element becomes null, so that the others keep
/// their places; whatever is not on the way stays byte for byte. Names are what they mean, not how they are
/// written: "pass\u0077ord" is password. If a name is there more than once, every one of them goes.
///
/// Immutable; any thread. Cost: one pass; never recurses.
class Redaction {
 public:
  static constexpr std::size_t kMaxPointers = 64;

  /// At most kMaxPointers; a malformed one is an error that says why.
  static Result<Redaction> make(const std::vector<std::string>& pointers);

  /// `json` without the members. Nothing if it is not exactly one JSON value: then none of it is safe to
  /// show.
  std::optional<std::string> apply(std::string_view json) const;
  /// True if a name occurs twice in one object on the way to one of the pointers, its end included: parsers
  /// differ on which of them counts.
  bool is_ambiguous(std::string_view json) const;

 private:
  explicit Redaction(std::vector<std::vector<PointerToken>> pointers) : pointers_(std::move(pointers)) {}

  std::vector<std::vector<PointerToken>> pointers_;
};

}  // namespace trestle
