#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "bridge/core/event.h"

namespace trestle {

/// The newest event of every `latest` topic: what a session gets when it joins.
///
/// An event that matches a policy's `until`, with the same last segment, clears the topic and keeps it ended
/// for as long as the ending event's policy keeps that event, at least an hour: a late progress never
/// resurrects a finished task. It depends on nothing but the events applied, so every shard keeps a copy of
/// its own and all agree.
///
/// Thread: its owner's.  Bound: kMaxTopics topics and as many endings, the oldest leave first; 24 h.
class Snapshot {
 public:
  static constexpr std::size_t kMaxTopics = 100'000;
  static constexpr Micros kMaxAge = Micros{24} * 3600 * 1'000'000;
  static constexpr Micros kMinEnded = Micros{3600} * 1'000'000;

  /// `policies` outlives the snapshot.
  explicit Snapshot(const PolicyTable& policies);

  /// What an event changed.
  enum class Change { none, replaced, added };

  /// Takes the next event of the stream.
  Change apply(const EventPtr& event);
  /// Is told of topics that leave without a newer event: ended, too old, or too many.
  void on_gone(std::function<void(const std::string& topic)> gone) { gone_ = std::move(gone); }
  /// Drops what is too old at `wall`.
  void expire(Micros wall);

  /// Newest events by offset.
  const std::map<Offset, EventPtr>& events() const { return events_; }
  std::size_t size() const { return events_.size(); }

 private:
  void end_topics(const Event& event);
  Change keep(const EventPtr& event);
  void forget(const std::string& topic);
  void remember_ending(std::string topic, Micros until);

  std::vector<const Policy*> ended_by_event_;  // policies that have an `until`
  std::function<void(const std::string&)> gone_;
  std::map<Offset, EventPtr> events_;
  std::unordered_map<std::string_view, Offset> by_topic_;  // keys live in the events
  std::unordered_map<std::string, Micros> ended_;          // topic → when it may come back
  std::deque<std::pair<Micros, std::string>> ended_order_;
};

}  // namespace trestle
