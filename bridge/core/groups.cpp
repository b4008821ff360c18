#include "bridge/core/groups.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "bridge/core/redact.h"
#include "proto/frame.h"
#include "proto/notice.h"

namespace trestle {
namespace {

bool by_text(const Pattern& a, const Pattern& b) { return a.text() < b.text(); }

Meta meta_of(const Event& event, bool replay) { return {event.topic, event.offset, event.time, replay}; }

// Returns how much of it is text, at the end.
std::size_t append_frame(std::string& out, Form form, const Event& event, bool replay) {
  const auto meta = meta_of(event, replay);
  const auto size = form_size(form, event.payload.size(), meta);
  append_text_frame_header(out, size);
  append_form(out, form, event.payload, meta);
  return size;
}

}  // namespace

// One event's frame in each form, plain and compressed, made when it is first asked for.
class Groups::EncodedEvent {
 public:
  /// `event` may be nullptr, if there is nothing to encode.
  EncodedEvent(Groups& groups, EventPtr event) : groups_(groups), event_(std::move(event)) {}

  const EventPtr& event() const { return event_; }
  const std::string& in(Form form) {
    auto& frames = frames_[static_cast<std::size_t>(form)];
    if (frames.plain.empty()) frames.text = append_frame(frames.plain, form, *event_, false);
    return frames.plain;
  }
  /// The plain one, if compressing is not worth it.
  const std::string& deflated_in(Form form) {
    const auto& plain = in(form);
    auto& frames = frames_[static_cast<std::size_t>(form)];
    if (!std::exchange(frames.tried, true)) deflate(frames);
    return frames.deflated.empty() ? plain : frames.deflated;
  }

 private:
  struct Frames {
    std::string plain;
    std::size_t text = 0;  // bytes of it after the header
    std::string deflated;  // empty: not worth it
    bool tried = false;
  };

  void deflate(Frames& frames) {
    const std::string_view plain = frames.plain;
    std::string payload;
    if (!groups_.deflate(plain.substr(plain.size() - frames.text), payload)) return;
    append_text_frame_header(frames.deflated, payload.size(), true);
    frames.deflated += payload;
  }

  Groups& groups_;
  const EventPtr event_;
  std::array<Frames, 3> frames_;
};

std::size_t frame_size(Form form, const Event& event, std::size_t payload, bool replay) {
  const auto text = form_size(form, payload, meta_of(event, replay));
  return frame_header_size(text) + text;
}

std::size_t frame_size(Form form, const Event& event, bool replay) {
  return frame_size(form, event, event.payload.size(), replay);
}

void append_event(Chunk& chunk, Form form, const EventPtr& event, bool replay) {
  const auto begin = chunk.bytes.size();
  append_frame(chunk.bytes, form, *event, replay);
  if (replay) {
    chunk.replayed = true;
  } else {
    chunk.marks.push_back({event->offset, begin, chunk.bytes.size(), event});
  }
}

void append_gap(Chunk& chunk, const LostRange& lost, std::string_view epoch) {
  Gap gap;
  gap.reason = GapReason::lost;
  gap.epoch = epoch;
  gap.offset = lost.after;
  gap.producer = lost.producer;
  gap.seq_from = lost.from;
  gap.seq_to = lost.to;
  gap.count = lost.to - lost.from + 1;
  const auto text = gap_notice(gap);
  append_text_frame_header(chunk.bytes, text.size());
  chunk.bytes += text;
}

bool Subscription::add(const Pattern& pattern) {
  const auto place = std::lower_bound(topics.begin(), topics.end(), pattern, by_text);
  if (place != topics.end() && *place == pattern) return false;
  topics.insert(place, pattern);
  return true;
}

bool Subscription::remove(const Pattern& pattern) {
  const auto place = std::lower_bound(topics.begin(), topics.end(), pattern, by_text);
  if (place == topics.end() || !(*place == pattern)) return false;
  topics.erase(place);
  return true;
}

void Subscription::narrow(const std::vector<Pattern>& allowed) {
  for (const auto& pattern : std::exchange(topics, {})) {
    if (any_covers(allowed, pattern)) {
      add(pattern);
      continue;
    }
    for (const auto& part : allowed) {
      if (const auto common = pattern.common(part)) add(*common);
    }
  }
}

std::vector<Pattern> Subscription::beyond(const Subscription& held) const {
  std::vector<Pattern> added;
  std::set_difference(topics.begin(), topics.end(), held.topics.begin(), held.topics.end(),
                      std::back_inserter(added), by_text);
  return added;
}

std::string Subscription::key() const {
  std::string key(1, static_cast<char>('0' + static_cast<int>(form)));
  if (deflate) key += 'z';
  if (hidden != 0) key += std::to_string(hidden);
  for (const auto& pattern : topics) key.append(1, ',').append(pattern.text());
  return key;
}

Group& Groups::join(const Subscription& subscription, Receiver* receiver) {
  auto& group = groups_[subscription.key()];
  if (!group) {
    group = std::make_unique<Group>(subscription);
    by_topic_.clear();
  }
  group->members_.push_back(receiver);
  return *group;
}

void Groups::leave(Group& group, Receiver* receiver) {
  auto& members = group.members_;
  const auto place = std::find(members.begin(), members.end(), receiver);
  if (place == members.end()) return;
  *place = members.back();
  members.pop_back();
  if (!members.empty()) return;
  by_topic_.clear();
  groups_.erase(group.subscription_.key());
}

const std::vector<Group*>& Groups::matching(const std::string& topic) {
  if (const auto known = by_topic_.find(topic); known != by_topic_.end()) return known->second;
  if (by_topic_.size() >= kMaxCached) by_topic_.clear();
  std::vector<Group*> matches;
  for (const auto& [key, group] : groups_) {
    if (group->subscription_.matches(topic)) matches.push_back(group.get());
  }
  return by_topic_.emplace(topic, std::move(matches)).first->second;
}

void Groups::add(const Batch& batch, std::string_view epoch) {
  auto lost = batch.lost.begin();
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    for (; lost != batch.lost.end() && lost->after < batch.events[i]->offset; ++lost) add_gap(*lost, epoch);
    add_event(batch.events[i]);
    if (is_full()) hand_out();
  }
  for (; lost != batch.lost.end(); ++lost) add_gap(*lost, epoch);
}

void Groups::add_event(const EventPtr& event) {
  EncodedEvent whole(*this, event);
  std::optional<EncodedEvent> part;  // the same for all from whom some is hidden
  for (auto* group : matching(event->topic)) {
    const auto& wanted = group->subscription_;
    const bool hides = is_redacted(*event, wanted.hidden);
    if (hides && !part) part.emplace(*this, redacted(event, wanted.hidden));
    auto& encoded = hides ? *part : whole;
    if (!encoded.event()) continue;
    auto& chunk = pending(*group);
    const auto begin = chunk.bytes.size();
    const auto& plain = encoded.in(wanted.form);
    const auto& frame = wanted.deflate ? encoded.deflated_in(wanted.form) : plain;
    chunk.bytes += frame;
    group->saved_ += plain.size() - frame.size();
    chunk.marks.push_back({event->offset, begin, chunk.bytes.size(), encoded.event()});
    count(chunk, frame.size());
  }
}

void Groups::count(const Chunk& chunk, std::size_t added) {
  most_events_ = std::max(most_events_, chunk.marks.size());
  most_bytes_ = std::max(most_bytes_, chunk.bytes.size());
  waiting_ += added;
}

void Groups::add_gap(const LostRange& lost, std::string_view epoch) {
  for (const auto& [key, group] : groups_) {
    if (group->subscription_.form != Form::meta) continue;
    auto& chunk = pending(*group);
    const auto before = chunk.bytes.size();
    append_gap(chunk, lost, epoch);
    count(chunk, chunk.bytes.size() - before);
  }
}

Chunk& Groups::pending(Group& group) {
  if (!group.pending_) {
    group.pending_ = std::make_shared<Chunk>();
    touched_.push_back(&group);
  }
  return *group.pending_;
}

bool Groups::deflate(std::string_view message, std::string& out) {
  if (message.size() < deflate_from_) return false;
  if (!deflater_) deflater_ = std::make_unique<Deflater>();
  ++deflated_;
  return deflater_->deflate(message, out);
}

// The kernel's work for one client throws the next one out of the caches: it is fetched while that goes on.
void Groups::deliver(const std::vector<Receiver*>& members, const ChunkPtr& chunk) {
  constexpr std::size_t kLines = 4;
  constexpr std::size_t kLine = 64;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size()) {
      const auto* next = reinterpret_cast<const char*>(members[i + 1]);
      for (std::size_t line = 0; line < kLines; ++line) __builtin_prefetch(next + line * kLine);
    }
    members[i]->deliver(chunk);
  }
}

bool Groups::is_full() const {
  return most_events_ >= kEventsTogether || most_bytes_ >= kBytesTogether || waiting_ >= kMaxWaiting;
}

void Groups::hand_out() {
  for (auto* group : touched_) {
    const ChunkPtr chunk = std::move(group->pending_);
    group->pending_ = nullptr;
    deliveries_ += chunk->marks.size() * group->members_.size();
    deflate_saved_ += std::exchange(group->saved_, 0) * group->members_.size();
    deliver(group->members_, chunk);
    hand_overs_ += group->members_.size();
  }
  touched_.clear();
  most_events_ = most_bytes_ = waiting_ = 0;
}

}  // namespace trestle
