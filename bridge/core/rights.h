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
  bool sees_all = false;
  std::vector<std::string> sees;

  /// `$sys` topics need admin or a read pattern that starts with `$`.
  bool may_read(std::string_view topic) const;
  /// True if every topic the pattern matches may be read.
  bool may_read_all(const Pattern& pattern) const;
  /// True if members that a policy redacts `unless: name` are shown; an empty name takes `admin` or `see`.
  bool may_see(std::string_view name) const;
  /// What `>` comes down to for these rights: the read patterns without those that start with `$`.
  std::vector<Pattern> readable() const;

  /// Read everything but `$sys`, and nothing else: authentication is off.
  static Rights reader();
};

/// From scopes as token files and JWTs carry them: `admin`, `read`, `read:PATTERN`, `publish[:PATTERN]`,
/// `command[:PATTERN]`; a scope without a pattern means `>`. `see:NAME` shows what policies redact `unless:
/// NAME`, `see` all that they redact. A segment of a pattern may be `{sub}`: it stands
/// for `sub`, whose token it is, escaped into that one segment as keys are, so `read:task.{sub}.>` never
/// reaches beyond it, whatever `sub` is. With an empty `sub` such a scope grants nothing. Errors name the
/// scope at fault.
Result<Rights> parse_scopes(const std::vector<std::string>& scopes, std::string_view sub);

/// The same, but what is no scope of ours is passed over: a JWT's issuer has scopes for others too
/// (`openid`).
Rights known_scopes(const std::vector<std::string>& scopes, std::string_view sub);

/// True for what may stand in `see:NAME`: 1 to 64 of `[A-Za-z0-9_-]`.
bool is_scope_name(std::string_view name);

}  // namespace trestle
