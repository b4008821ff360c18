#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/result.h"

namespace trestle {

/// A topic with wildcards: `*` stands for exactly one segment, a final `>` for one or more. A topic whose
/// first segment starts with `$` matches only a pattern whose first segment is that same text. Immutable; any
/// thread.
class Pattern {
 public:
  /// Bounds: at most kMaxTopic bytes. Errors say what is wrong and where: `"a..b": segment 2 is empty`.
  /// Literal segments are those of topics (canonical escapes); a first segment `$name` is allowed here.
  static Result<Pattern> parse(std::string_view text);

  bool matches(std::string_view topic) const;
  /// True if every topic that `other` matches is matched by this one too.
  bool covers(const Pattern& other) const;
  /// True if some topic is matched by both.
  bool overlaps(const Pattern& other) const;
  /// The pattern of exactly the topics that both match; nothing if there is none, or it would be longer than
  /// any topic.
  std::optional<Pattern> common(const Pattern& other) const;
  /// The leading segments without a wildcard, joined by dots: `task.*.x` → `task`, `>` → empty.
  std::string literal_prefix() const;
  /// True if the pattern is exactly `<type_topic>.*` or `<type_topic>.>`: a policy that applies to the bare
  /// type too.
  bool is_type_with_key(std::string_view type_topic) const;
  const std::string& text() const { return text_; }
  bool operator==(const Pattern& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::vector<std::string> segments_;  // without the final `>`
  bool rest_ = false;                  // ends in `>`
};

/// The most patterns that one list may hold, unless told otherwise.
inline constexpr std::size_t kMaxPatterns = 256;

/// Splits a comma-separated list as in `?topics=`; an empty text is an empty list, an empty item an error,
/// and so are more than `most`.
Result<std::vector<Pattern>> parse_patterns(std::string_view comma_separated,
                                            std::size_t most = kMaxPatterns);

/// True if any of the patterns matches / covers.
bool any_matches(const std::vector<Pattern>& patterns, std::string_view topic);
bool any_covers(const std::vector<Pattern>& patterns, const Pattern& wanted);

}  // namespace trestle
