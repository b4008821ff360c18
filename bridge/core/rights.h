#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "proto/pattern.h"
#include "proto/result.h"

namespace trestle {

/// What the bearer of a token may do. Immutable values; any thread.
struct Rights {
  std::vector<Pattern> read;
  std::vector<Pattern> publish;
  std::vector<Pattern> command;
  bool admin = false;

  /// `$sys` topics need admin or a read pattern that starts with `$`.
  bool may_read(std::string_view topic) const;
  /// True if every topic the pattern matches may be read.
  bool may_read_all(const Pattern& pattern) const;
  /// What `>` comes down to for these rights: the read patterns without those that start with `$`.
  std::vector<Pattern> readable() const;

  /// Read everything but `$sys`, and nothing else: authentication is off.
  static Rights reader();
};

/// From scopes as token files and JWTs carry them: `admin`, `read`, `read:PATTERN`, `publish[:PATTERN]`,
/// `command[:PATTERN]`; a scope without a pattern means `>`. Errors name the scope at fault.
Result<Rights> parse_scopes(const std::vector<std::string>& scopes);

}  // namespace trestle
