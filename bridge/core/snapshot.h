#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bridge/core/event.h"

namespace trestle {

/// A topic that was ended, and until when it stays so.
struct Ending {
  std::string topic;
  Micros until = 0;
};

/// The newest event of every `latest` topic: what a session gets when it joins. Of each policy as many as its
/// `retain` says, counted in topics and in bytes of payload, and as old; whichever is reached first, the
/// topics that have been without news for longest leave.
///
/// An event that matches a policy's `until`, with the same last segment, clears the topic and keeps it ended
/// for as long as the ending event's policy keeps that event, at least an hour: a late progress never
/// resurrects a finished task. It depends on nothing but the events applied, so every shard keeps a copy of
/// its own and all agree.
///
/// Thread: its owner's.  Bound: kMaxTopics topics of all policies and as many endings, the oldest leave
/// first; 24 h.
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
  /// Is told of topics that leave without a newer event: ended, too old, or too many; before apply() returns.
  void on_gone(std::function<void(const std::string& topic)> gone) { gone_ = std::move(gone); }
  /// Is told of topics whose ending is new, or is over.
  void on_ending(std::function<void(const std::string& topic)> changed) {
    ending_changed_ = std::move(changed);
  }
  /// Drops what is too old at `wall`.
  void expire(Micros wall);

  /// Newest events by offset.
  const std::map<Offset, EventPtr>& events() const { return events_; }
  std::size_t size() const { return events_.size(); }

  /// True for an event of a `latest` topic that came after its end, or that is more by itself than its policy
  /// retains: delivered, and kept by nobody.
  bool leaves_out(const Event& event) const;
  /// When the topic may come back; nothing if it was not ended.
  std::optional<Micros> ended_until(const std::string& topic) const;
  /// All of them, the oldest first.
  std::vector<Ending> endings() const;
  /// What endings() was in an earlier life of the bridge; before the first event.
  void restore(const std::vector<Ending>& endings);

 private:
  // What a policy with a `retain` has here.
  struct Lane {
    const Policy* policy;
    std::set<Offset> offsets;
    std::size_t bytes = 0;
  };
  bool is_late(const Event& event) const;
  void end_topics(const Event& event);
  Change keep(const EventPtr& event);
  Lane* lane_of(const Event& event);
  /// Its lane, if its policy limits how many are kept.
  Lane* put(const EventPtr& event);
  EventPtr take_out(Offset offset);
  void trim(const Lane& lane);
  void forget_oldest(const Lane& lane) { forget(events_.at(*lane.offsets.begin())->topic); }
  void forget(const std::string& topic);
  void remember_ending(const std::string& topic, Micros until, Offset by);
  void forget_oldest_ending();

  std::vector<const Policy*> ended_by_event_;  // policies that have an `until`
  std::vector<Lane> limited_;                  // policies that have a `retain`
  std::function<void(const std::string&)> gone_;
  std::function<void(const std::string&)> ending_changed_;
  std::map<Offset, EventPtr> events_;
  std::unordered_map<std::string_view, Offset> by_topic_;  // keys live in the events
  struct Ended {
    Micros until;  // then it may come back
    Offset by;     // the first event that ended it; 0 in an earlier life of the bridge
  };
  std::unordered_map<std::string, Ended> ended_;  // by topic
  std::deque<std::pair<Micros, std::string>> ended_order_;
};

}  // namespace trestle
