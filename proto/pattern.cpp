#include "proto/pattern.h"

#include <algorithm>

#include "proto/topic.h"
#include "proto/topic_alphabet.h"

namespace trestle {
namespace {

constexpr std::string_view kOne = "*";
constexpr std::string_view kRest = ">";

/// Walks the segments of a text that is not empty; allocates nothing.
class Segments {
 public:
  explicit Segments(std::string_view text) : left_(text) {}
  bool done() const { return done_; }
  std::string_view next() {
    const std::size_t dot = left_.find('.');
    const std::string_view segment = left_.substr(0, dot);
    done_ = dot == std::string_view::npos;
    if (!done_) left_.remove_prefix(dot + 1);
    return segment;
  }

 private:
  std::string_view left_;
  bool done_ = false;
};

/// `$name`: the first segment of the bridge's own topics.
bool is_system_segment(std::string_view segment) {
  return segment.size() > 1 && segment.front() == '$' &&
         std::all_of(segment.begin() + 1, segment.end(), [](char c) { return is_plain(c); });
}

std::string_view fault_of(std::string_view segment, SegmentPlace place) {
  if (segment == kOne) return "";
  if (segment == kRest) return place.last ? "" : "is '>', which can only be the last segment";
  if (segment.find_first_of("*>") != std::string_view::npos) return "mixes a wildcard with other characters";
  if (segment.substr(0, 1) == "$") {
    if (!place.first) return "starts with '$', which only the first segment can";
    return is_system_segment(segment) ? "" : "needs a name of A-Z a-z 0-9 _ - behind its '$'";
  }
  return segment_fault(segment, place);
}

Error fault_at(std::string_view text, std::size_t segment, std::string_view fault) {
  std::string message = "\"";
  message.append(text).append("\": segment ").append(std::to_string(segment)).append(" ").append(fault);
  return Error{std::move(message)};
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.empty()) return Error{"a pattern is empty; \">\" stands for everything"};
  if (text.size() > kMaxTopic) {
    return Error{"a pattern is " + std::to_string(text.size()) + " bytes long, at most " +
                 std::to_string(kMaxTopic) + " are allowed"};
  }
  Pattern pattern;
  pattern.text_ = text;
  for (Segments walk(text); !walk.done();) {
    const std::size_t index = pattern.segments_.size();
    const std::string_view segment = walk.next();
    const std::string_view fault = fault_of(segment, {index == 0, walk.done()});
    if (!fault.empty()) return fault_at(text, index + 1, fault);
    if (segment == kRest) {
      pattern.rest_ = true;
    } else {
      pattern.segments_.emplace_back(segment);
    }
  }
  return pattern;
}

bool Pattern::matches(std::string_view topic) const {
  if (topic.empty()) return false;
  if (is_system_topic(topic) && (segments_.empty() || segments_.front() == kOne)) return false;
  Segments walk(topic);
  for (const std::string& wanted : segments_) {
    if (walk.done()) return false;
    const std::string_view segment = walk.next();
    if (wanted != segment && wanted != kOne) return false;
  }
  return walk.done() != rest_;
}

bool Pattern::covers(const Pattern& other) const {
  const std::size_t count = segments_.size();
  const std::size_t others = other.segments_.size();
  if (!rest_ && (other.rest_ || count != others)) return false;
  // `other` must have at least one segment, named or not, left over for our `>`.
  if (rest_ && others + (other.rest_ ? 1 : 0) < count + 1) return false;
  if (is_system_topic(other.text_) && (segments_.empty() || segments_.front() == kOne)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (segments_[i] != kOne && segments_[i] != other.segments_[i]) return false;
  }
  return true;
}

bool Pattern::overlaps(const Pattern& other) const {
  const std::size_t common = std::min(segments_.size(), other.segments_.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto& a = segments_[i];
    const auto& b = other.segments_[i];
    if (a != b && a != kOne && b != kOne) return false;
  }
  const auto open = [](const Pattern& p) { return p.segments_.empty() || p.segments_.front() == kOne; };
  if ((is_system_topic(text_) && open(other)) || (is_system_topic(other.text_) && open(*this))) return false;
  if (segments_.size() == other.segments_.size()) return rest_ == other.rest_;
  return segments_.size() < other.segments_.size() ? rest_ : other.rest_;
}

// Where both have a segment the named one counts; what one leaves to its `>`, the other names.
std::optional<Pattern> Pattern::common(const Pattern& other) const {
  if (!overlaps(other)) return std::nullopt;
  const auto& longer = segments_.size() < other.segments_.size() ? other : *this;
  const auto& shorter = &longer == this ? other : *this;
  std::string text;
  for (std::size_t i = 0; i < longer.segments_.size(); ++i) {
    const bool named_there = longer.segments_[i] == kOne && i < shorter.segments_.size();
    if (i > 0) text += '.';
    text += named_there ? shorter.segments_[i] : longer.segments_[i];
  }
  if (longer.rest_) text += longer.segments_.empty() ? ">" : ".>";
  auto both = parse(text);
  return both ? std::optional<Pattern>(std::move(*both)) : std::nullopt;
}

std::string Pattern::literal_prefix() const {
  std::string prefix;
  for (const std::string& segment : segments_) {
    if (segment == kOne) break;
    if (!prefix.empty()) prefix.push_back('.');
    prefix.append(segment);
  }
  return prefix;
}

bool Pattern::is_type_with_key(std::string_view type_topic) const {
  const std::string_view text = text_;
  if (text.size() != type_topic.size() + 2 || text.substr(0, type_topic.size()) != type_topic) return false;
  const std::string_view end = text.substr(type_topic.size());
  return end == ".*" || end == ".>";
}

Result<std::vector<Pattern>> parse_patterns(std::string_view comma_separated, std::size_t most) {
  std::vector<Pattern> patterns;
  while (!comma_separated.empty()) {
    if (patterns.size() == most) return Error{"more than " + std::to_string(most) + " patterns"};
    const std::size_t comma = comma_separated.find(',');
    auto pattern = Pattern::parse(comma_separated.substr(0, comma));
    if (!pattern) return pattern.error();
    patterns.push_back(std::move(*pattern));
    if (comma == std::string_view::npos) break;
    comma_separated.remove_prefix(comma + 1);
    if (comma_separated.empty()) return Error{"the list of patterns ends with a comma"};
  }
  return patterns;
}

bool any_matches(const std::vector<Pattern>& patterns, std::string_view topic) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(topic); });
}

bool any_covers(const std::vector<Pattern>& patterns, const Pattern& wanted) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.covers(wanted); });
}

}  // namespace trestle
