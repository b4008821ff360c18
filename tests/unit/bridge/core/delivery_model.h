#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bridge/core/event.h"
#include "proto/pattern.h"

/// The model of the delivery property test: what a stream accepted, and what of it is kept, in the simplest
/// possible way.
namespace trestle::delivery {

/// A policy of the test. So little is retained that trimming never stops.
struct Rule {
  std::string type;
  Keep keep;
  Retain retain{};
  std::string until{};  // the type whose events end this one's, by key
};

inline const std::vector<Rule>& rules() {
  using std::chrono::seconds;
  static const std::vector<Rule> all = {
      {"progress", Keep::latest, {}, "finished"},
      {"finished", Keep::log, {seconds(3'600), 4, {}}},
      {"few", Keep::log, {{}, 6, {}}},
      {"brief", Keep::log, {seconds(20), {}, {}}},
      {"bulk", Keep::log, {{}, {}, 800}},
      {"deep", Keep::log, {{}, 150, {}}},
      {"status", Keep::latest},
      {"seat", Keep::latest, {{}, 2, {}}},
      {"pulse", Keep::latest, {seconds(20), {}, 300}},
      {"flash", Keep::none},
  };
  return all;
}

inline std::vector<Policy> policies() {
  std::vector<Policy> all;
  for (const auto& rule : rules()) {
    Policy policy;
    policy.match = *Pattern::parse(rule.type + ".*");
    policy.keep = rule.keep;
    policy.key = "/id";
    policy.retain = rule.retain;
    if (!rule.until.empty()) policy.until = *Pattern::parse(rule.until + ".*");
    all.push_back(std::move(policy));
  }
  return all;
}

constexpr int kKeys = 3;
inline std::string topic_of(const Rule& rule, int key) {
  return key == 0 ? rule.type : rule.type + "." + std::to_string(key);  // 0: no key
}

/// What a stream accepted. A value: a copy is what an older journal knows.
class Model {
 public:
  std::string epoch;
  Offset head = 0;
  Offset floor = 0;  // the journal never had the logs up to here
  /// What a producer lost, in the order of the stream; told as gaps.
  struct Lost {
    std::string name;  // "producer:from-to"
    Offset place;
    Micros appended;
    bool gone = false;
  };
  std::vector<Lost> lost;

  void accept(const EventPtr& event) {
    events_.push_back(event);
    head = event->offset;
    const auto* rule = rule_of(event->topic);
    for (const auto& ended : rules()) {
      const auto key = event->topic.rfind('.');
      if (rule == nullptr || ended.until != rule->type || key == std::string::npos) continue;
      const auto topic = ended.type + event->topic.substr(key);
      latest_.erase(topic);
      ended_[topic] = event->appended + kHour;
    }
    if (keep_of(event->topic) == Keep::latest) {
      keep_newest(event, rule);
    } else if (keep_of(event->topic) == Keep::log) {
      auto& log = logs_[rule->type];
      log.events.push_back(event);
      const auto bytes = [&] {
        std::size_t sum = 0;
        for (const auto& each : log.events) sum += each->payload.size();
        return sum;
      };
      while ((rule->retain.count && log.events.size() > *rule->retain.count) ||
             (rule->retain.bytes && bytes() > *rule->retain.bytes)) {
        log.drop_oldest();
      }
    }
  }

  void expire(Micros wall) {
    for (const auto& rule : rules()) {
      auto& log = logs_[rule.type];
      const auto too_old = [&] {
        return rule.retain.age &&
               log.events.front()->appended < wall - Micros{rule.retain.age->count()} * 1'000'000;
      };
      while (!log.events.empty() && too_old()) log.drop_oldest();
    }
    for (auto it = latest_.begin(); it != latest_.end();) {
      const auto* rule = rule_of(it->first);
      const auto kept_for =
          rule != nullptr && rule->retain.age ? Micros{rule->retain.age->count()} * 1'000'000 : 24 * kHour;
      it = it->second->appended + kept_for < wall ? latest_.erase(it) : std::next(it);
    }
    for (auto& each : lost) each.gone = each.gone || each.appended + 24 * kHour < wall;
  }

  void lose(const LostRange& range) {
    auto name = range.producer + ":" + std::to_string(range.from) + "-" + std::to_string(range.to);
    lost.push_back({std::move(name), range.after, range.appended});
  }
  /// True if of the losses from `place` on none is gone.
  bool has_losses_from(Offset place) const {
    // Of the time that the journal does not know nobody can tell.
    return gone_ <= place && std::none_of(lost.begin(), lost.end(),
                                          [&](const Lost& each) { return each.gone && each.place >= place; });
  }

  /// What a start with the journal finds.
  void restart() {
    gone_ = floor;
    for (auto& each : lost) each.gone = each.gone || each.place < floor;
    for (const auto& rule : rules()) {
      auto& log = logs_[rule.type];
      while (!log.events.empty() && log.events.front()->offset <= floor) log.drop_oldest();
      log.gone = std::max(log.gone, floor);
    }
  }

  static Keep keep_of(const std::string& topic) {
    if (const auto* rule = rule_of(topic)) return rule->keep;
    return topic.rfind("$sys.producer.", 0) == 0 ? Keep::latest : Keep::none;
  }
  /// nullptr if the stream never had it.
  EventPtr find(Offset offset) const {
    const auto at = above(offset - 1);
    return at != events_.end() && (*at)->offset == offset ? *at : nullptr;
  }
  bool kept(const Event& event) const {
    if (keep_of(event.topic) == Keep::log) return event.offset > logs_.at(rule_of(event.topic)->type).gone;
    const auto newest = latest_.find(event.topic);
    return newest != latest_.end() && newest->second->offset == event.offset;
  }
  /// The newest offset that is gone from a log in which some pattern may find something.
  Offset gone(const std::vector<Pattern>& patterns) const {
    const bool any = std::any_of(patterns.begin(), patterns.end(),
                                 [](const Pattern& pattern) { return pattern.text().front() != '$'; });
    Offset newest = any ? gone_ : 0;
    for (const auto& rule : rules()) {
      const auto log = logs_.find(rule.type);
      if (log == logs_.end()) continue;
      for (int key = 0; key <= kKeys; ++key) {
        if (any_matches(patterns, topic_of(rule, key))) newest = std::max(newest, log->second.gone);
      }
    }
    return newest;
  }
  const std::map<std::string, EventPtr>& latest() const { return latest_; }
  /// Everything accepted with `after` < offset <= `up_to`.
  void each(Offset after, Offset up_to, const std::function<void(const Event&)>& take) const {
    for (auto at = above(after); at != events_.end() && (*at)->offset <= up_to; ++at) take(**at);
  }
  std::size_t kept_logs() const {
    std::size_t sum = 0;
    for (const auto& [type, log] : logs_) sum += log.events.size();
    return sum;
  }

 private:
  static constexpr Micros kHour = Micros{3'600} * 1'000'000;
  struct Log {
    std::deque<EventPtr> events;
    Offset gone = 0;
    void drop_oldest() {
      gone = events.front()->offset;
      events.pop_front();
    }
  };
  static const Rule* rule_of(const std::string& topic) {
    const auto type = topic.substr(0, topic.find('.'));
    const auto found =
        std::find_if(rules().begin(), rules().end(), [&](const Rule& rule) { return rule.type == type; });
    return found == rules().end() ? nullptr : &*found;
  }
  void keep_newest(const EventPtr& event, const Rule* rule) {
    const auto ended = ended_.find(event->topic);
    if (ended != ended_.end() && event->appended < ended->second) return;
    latest_[event->topic] = event;
    if (rule == nullptr) return;
    if (event->payload.size() > rule->retain.bytes.value_or(event->payload.size()))
      latest_.erase(event->topic);
    trim_latest(*rule);
  }
  void trim_latest(const Rule& rule) {
    while (true) {
      std::size_t count = 0, bytes = 0;
      auto oldest = latest_.end();
      for (auto it = latest_.begin(); it != latest_.end(); ++it) {
        if (rule_of(it->first) != &rule) continue;
        ++count;
        bytes += it->second->payload.size();
        if (oldest == latest_.end() || it->second->offset < oldest->second->offset) oldest = it;
      }
      if (count <= rule.retain.count.value_or(count) && bytes <= rule.retain.bytes.value_or(bytes)) return;
      latest_.erase(oldest);
    }
  }
  std::vector<EventPtr>::const_iterator above(Offset offset) const {
    return std::upper_bound(events_.begin(), events_.end(), offset,
                            [](Offset wanted, const EventPtr& event) { return wanted < event->offset; });
  }

  std::vector<EventPtr> events_;  // offsets rise
  Offset gone_ = 0;               // of every log there might be
  std::map<std::string, Log> logs_;
  std::map<std::string, EventPtr> latest_;
  std::map<std::string, Micros> ended_;  // topic → when it may come back
};

}  // namespace trestle::delivery
