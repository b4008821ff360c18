#pragma once
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/groups.h"
#include "delivery_model.h"
#include "proto/cursor.h"

/// A client of the delivery property test: stores what the cursor rules let it store, and holds every message
/// against the model.
namespace trestle::delivery {

/// What a message of the bridge says, taken out of its text.
class Message {
 public:
  explicit Message(std::string_view text) : text_(text) {}
  bool is_event() const { return text_.find(kMeta) != std::string_view::npos; }
  std::string_view payload() const { return text_.substr(kOpen.size(), text_.rfind(kMeta) - kOpen.size()); }
  /// The text of a member of `meta`, or of a notice's data.
  std::string_view member(std::string_view name) const {
    const auto place = is_event() ? text_.substr(text_.rfind(kMeta)) : text_;
    const auto at = place.find("\"" + std::string(name) + "\":");
    if (at == std::string_view::npos) return {};
    auto value = place.substr(at + name.size() + 3);
    const bool quoted = value.front() == '"';
    if (quoted) value.remove_prefix(1);
    return value.substr(0, value.find_first_of(quoted ? "\"" : ",}"));
  }
  std::uint64_t number(std::string_view name) const {
    return std::strtoull(std::string(member(name)).c_str(), nullptr, 10);
  }
  std::string_view text() const { return text_; }

 private:
  static constexpr std::string_view kOpen = R"({"success":true,"data":)";
  static constexpr std::string_view kMeta = R"(,"meta":{)";
  std::string_view text_;
};

/// What a client asked for and has not been told the end of: its join or resume first, then subscribes.
struct Asked {
  Subscription wanted;         // all that it will hold then
  std::vector<Pattern> added;  // what of it is new
  std::optional<Cursor> since;
  std::uint64_t serial = 0;
  Offset log_after = 0;          // older events of logs are not due
  Offset latest_after = 0;       // the same for the snapshot
  std::string gap;               // the reason that must be told first; empty if nothing is missing
  bool told = false;             // that something may be missing, or it wanted whatever there is
  std::set<Offset> got;          // of the snapshot since it was told; of the rest, ever
  std::set<std::size_t> losses;  // of the model, to be told in its replay
  // Given up meanwhile: what they match was held up to there.
  std::vector<std::pair<Pattern, Offset>> was_held;
};

class Watcher {
 public:
  explicit Watcher(const Model& model) : model_(model) {}

  // --- what it does
  void connects(const Subscription& wanted, const std::optional<Cursor>& since) {
    live_ = false;
    due_.clear();
    asked_.clear();
    given_up_.clear();
    losses_.clear();
    losses_seen_ = model_.lost.size();
    held_ = {};
    wish_ = wanted;
    const bool goes_on =
        since && cursor_ && since->epoch == cursor_->epoch && since->offset == cursor_->offset;
    if (!goes_on) seen_.clear();
    cursor_ = since;
    ask(wanted.topics, since);
    position_ = asked_.back().log_after;
  }
  void asks(const std::vector<Pattern>& patterns, const std::optional<Cursor>& since) {
    std::vector<Pattern> added;
    for (const auto& pattern : patterns) {
      if (wish_.add(pattern)) added.push_back(pattern);
    }
    ask(added, since);
  }
  void gives_up(const Pattern& pattern) {
    wish_.remove(pattern);
    given_up_.push_back({pattern, model_.head, serial_});
  }

  /// The next message of its connection.
  void take(const Message& message) {
    if (!due_.empty() && message.member("reason") != due_)
      return fail("no gap " + due_ + " was told", message);
    if (message.is_event()) return take_event(message);
    const auto type = message.member("type");
    if (type == "welcome") return take_welcome(message);
    if (type == "subscribed") {
      due_ = asked_[replied_++].gap;
    } else if (type == "unsubscribed") {
      take_unsubscribed(message);
    } else if (type == "live") {
      take_live(message);
    } else if (type == "cursor") {
      move_to(message.number("offset"), message);
    } else if (type == "gap") {
      take_gap(message);
    } else {
      fail("an unknown message", message);
    }
  }

  /// What it may come back with.
  const std::optional<Cursor>& cursor() const { return cursor_; }
  /// What it is sure to have got the past of; what it connected for, before its first `live`.
  const Subscription& held() const { return live_ ? held_ : asked_.front().wanted; }
  const Subscription& wish() const { return wish_; }
  const std::deque<Asked>& asked() const { return asked_; }
  bool live() const { return live_; }
  bool settled() const {
    return live_ && asked_.empty() && given_up_.empty() && losses_.empty() &&
           losses_seen_ == model_.lost.size();
  }
  const std::string& fault() const { return fault_; }

  struct Counts {
    std::size_t events = 0, replayed = 0, trimmed = 0, epochs = 0, lost = 0;
  } counts;

 private:
  struct GivenUp {
    Pattern pattern;
    Offset head;
    std::uint64_t before;  // affects what was asked before
  };

  void ask(const std::vector<Pattern>& added, const std::optional<Cursor>& since) {
    Asked asked;
    asked.wanted = wish_;
    asked.added = added;
    asked.since = since;
    asked.serial = serial_++;
    asked.log_after = model_.head;
    if (since) {
      const bool everything = since->epoch.empty();
      const bool known = since->epoch == model_.epoch && since->offset <= model_.head;
      asked.told = everything;
      asked.log_after = asked.latest_after = known ? since->offset : 0;
      if (!known && !everything) asked.gap = "epoch";
      const bool missing = model_.gone(added) > since->offset || !model_.has_losses_from(since->offset);
      if (known && missing) asked.gap = "trimmed";
      for (std::size_t i = 0; i < model_.lost.size(); ++i) {
        if (model_.lost[i].place >= asked.log_after && !model_.lost[i].gone) asked.losses.insert(i);
      }
    }
    asked_.push_back(std::move(asked));
  }

  void take_welcome(const Message& message) {
    epoch_ = message.member("epoch");
    replied_ = 1;
    due_ = asked_.front().gap;
  }

  void take_event(const Message& message) {
    const auto event = model_.find(message.number("offset"));
    if (!event) return fail("the stream never had this", message);
    const bool same = event->payload == message.payload() && event->topic == message.member("topic") &&
                      static_cast<std::uint64_t>(event->time) == message.number("time");
    if (!same) return fail("not what the stream accepted", message);
    ++counts.events;
    message.member("replay").empty() ? take_live_event(*event, message) : take_replayed(*event, message);
  }

  void take_live_event(const Event& event, const Message& message) {
    if (!held().matches(event.topic)) return fail("nobody asked for this", message);
    if (event.offset <= position_) return fail("offsets do not rise", message);
    if (!seen_.insert(event.offset).second) return fail("it comes twice", message);
    pass_over(event.offset - 1, message);
    check_losses(event.offset, message);
    if (!live_) {
      auto& asked = asked_.front();
      asked.got.insert(event.offset);
      check_snapshot(asked, position_, message);  // or a cut now would leave it incomplete
    }
    position_ = event.offset;
    cursor_ = Cursor{epoch_, event.offset};
  }

  void take_replayed(const Event& event, const Message& message) {
    ++counts.replayed;
    if (asked_.empty()) return fail("a replay that nobody asked for", message);
    auto& asked = asked_.front();
    if (!any_matches(asked.added, event.topic)) return fail("nobody asked for this", message);
    if (!asked.got.insert(event.offset).second) return fail("replayed twice", message);
    if (!live_) {
      if (event.offset > position_) fail("marked, but it is news", message);
    } else if (held_.matches(event.topic)) {
      fail("replayed, though it was held", message);
    }
    const bool log = Model::keep_of(event.topic) == Keep::log;
    if (event.offset <= (log ? asked.log_after : asked.told ? 0 : asked.latest_after)) {
      fail("replayed, though it is older than what was asked for", message);
    }
  }

  void take_live(const Message& message) {
    if (asked_.empty()) return fail("`live`, but nothing was asked for", message);
    move_to(message.number("offset"), message);
    const auto asked = std::move(asked_.front());
    asked_.pop_front();
    --replied_;
    check_snapshot(asked, position_, message);
    if (live_) check_logs(asked, message);
    for (const auto loss : asked.losses) check_told(loss, asked.told, message);
    if (asked.told) {
      for (auto it = losses_.begin(); it != losses_.end();)
        it = model_.lost[*it].gone ? losses_.erase(it) : std::next(it);
    }
    live_ = true;
    held_ = asked.wanted;
  }

  void take_unsubscribed(const Message& message) {
    const auto given_up = std::move(given_up_.front());
    given_up_.pop_front();
    if (live_) {
      pass_over(given_up.head, message);
      position_ = std::max(position_, given_up.head);
      held_.remove(given_up.pattern);
    }
    for (auto& asked : asked_) {
      if (asked.serial >= given_up.before) continue;
      asked.was_held.emplace_back(given_up.pattern, given_up.head);
      asked.wanted.remove(given_up.pattern);
      const auto& gone = given_up.pattern;
      asked.added.erase(std::remove(asked.added.begin(), asked.added.end(), gone), asked.added.end());
    }
  }

  void take_gap(const Message& message) {
    const auto reason = message.member("reason");
    if (reason == "lost") return take_lost(message);
    if (!due_.empty()) return take_due_gap(message);
    if (reason == "epoch") {
      if (message.member("epoch") == epoch_) fail("the epoch is the same", message);
      ++counts.epochs;
      if (live_) pass_over(message.number("offset"), message);
      if (live_) position_ = std::max(position_, message.number("offset"));
      epoch_ = message.member("epoch");
      return;
    }
    // The retention has overtaken a replay.
    ++counts.trimmed;
    if (asked_.empty()) return fail("a gap in what nobody asked for", message);
    auto& asked = asked_.front();
    const auto from = message.number("from");
    if (model_.gone(asked.added) < from && model_.has_losses_from(from - 1))
      fail("a gap, but nothing is missing", message);
    asked.told = true;
    for (auto it = asked.got.begin(); it != asked.got.end();) {
      const bool again = Model::keep_of(model_.find(*it)->topic) == Keep::latest;
      it = again ? asked.got.erase(it) : std::next(it);
    }
  }

  // What was asked for can't all be had.
  void take_due_gap(const Message& message) {
    auto& asked = asked_[replied_ - 1];
    ++(due_ == "epoch" ? counts.epochs : counts.trimmed);
    if (message.member("epoch") != epoch_) fail("a gap of another epoch", message);
    if (due_ == "epoch" && !live_ && replied_ == 1) seen_.clear();
    asked.told = true;
    due_.clear();
  }

  void take_lost(const Message& message) {
    ++counts.lost;
    const auto name = std::string(message.member("producer")) + ":" +
                      std::string(message.member("seq_from")) + "-" + std::string(message.member("seq_to"));
    const auto found = std::find_if(model_.lost.rbegin(), model_.lost.rend(),
                                    [&](const Model::Lost& lost) { return lost.name == name; });
    if (found == model_.lost.rend()) return fail("nothing of the kind was lost", message);
    if (message.member("epoch") != epoch_) fail("a loss of another epoch", message);
    if (message.number("offset") != found->place) fail("a loss at another place", message);
    pass_over(found->place, message);
    notice_losses();
    const auto index = static_cast<std::size_t>(model_.lost.rend() - found) - 1;
    losses_.erase(index);
    if (!asked_.empty()) asked_.front().losses.erase(index);
  }
  void notice_losses() {
    for (; losses_seen_ < model_.lost.size(); ++losses_seen_) losses_.insert(losses_.end(), losses_seen_);
  }
  // Everything that comes is behind `up_to`: so must be the losses that it has not been told of.
  void check_losses(Offset up_to, const Message& message) {
    notice_losses();
    const bool told = !asked_.empty() && asked_.front().told;
    for (auto loss = losses_.begin(); loss != losses_.end() && model_.lost[*loss].place < up_to; ++loss)
      check_told(*loss, told, message);
    if (live_ || asked_.empty()) return;
    for (const auto loss : asked_.front().losses) {
      if (model_.lost[loss].place < up_to) check_told(loss, told, message);
    }
  }
  void check_told(std::size_t loss, bool may_be_gone, const Message& message) {
    if (!may_be_gone || !model_.lost[loss].gone)
      fail("not told that " + model_.lost[loss].name + " is lost", message);
  }

  // The cursor moves without an event.
  void move_to(Offset offset, const Message& message) {
    if (message.member("epoch") != epoch_) fail("a cursor of another epoch", message);
    pass_over(offset, message);
    check_losses(offset, message);
    if (offset < position_) fail("the cursor moves back", message);
    position_ = offset;
    cursor_ = Cursor{epoch_, offset};
  }

  // From position_ to `up_to` nothing came: nothing may be missing there.
  void pass_over(Offset up_to, const Message& message) {
    model_.each(position_, up_to, [&](const Event& event) {
      if (!held().matches(event.topic)) return;
      if (live_) return fail("passed over " + name(event), message);
      check_passed(asked_.front(), event, message);
    });
  }
  void check_passed(const Asked& asked, const Event& event, const Message& message) {
    const auto keep = Model::keep_of(event.topic);
    if (keep == Keep::none || asked.got.count(event.offset) != 0) return;
    if (model_.kept(event)) {
      fail("passed over " + name(event) + ", which is kept", message);
    } else if (keep == Keep::log && !asked.told) {
      fail("passed over " + name(event) + " without a gap", message);
    }
  }
  // All of the snapshot up to `up_to` that is due has come.
  void check_snapshot(const Asked& asked, Offset up_to, const Message& message) {
    for (const auto& [topic, event] : model_.latest()) {
      if (event->offset <= (asked.told ? 0 : asked.latest_after) || event->offset > up_to) continue;
      if (!any_matches(asked.added, topic) || asked.got.count(event->offset) != 0) continue;
      if (live_ && is_held(asked, *event)) continue;
      fail("a snapshot without " + name(*event), message);
    }
  }
  // An in-band replay is complete.
  void check_logs(const Asked& asked, const Message& message) {
    model_.each(asked.log_after, position_, [&](const Event& event) {
      if (!any_matches(asked.added, event.topic) || is_held(asked, event)) return;
      if (Model::keep_of(event.topic) == Keep::log) check_passed(asked, event, message);
    });
  }

  bool is_held(const Asked& asked, const Event& event) const {
    return held_.matches(event.topic) ||
           std::any_of(asked.was_held.begin(), asked.was_held.end(), [&](const auto& held) {
             return event.offset <= held.second && held.first.matches(event.topic);
           });
  }

  static std::string name(const Event& event) {
    return std::to_string(event.offset) + " (" + event.topic + ")";
  }
  void fail(const std::string& what, const Message& message) {
    if (!fault_.empty()) return;
    fault_ = what + ", at " + std::string(message.text()) + "; " + (live_ ? "live" : "replaying") +
             " after " + std::to_string(position_) +
             (asked_.empty()        ? ""
              : asked_.front().told ? ", told of a gap"
                                    : "");
  }

  const Model& model_;
  Subscription wish_;  // all that it asked for
  Subscription held_;
  std::deque<Asked> asked_;
  std::size_t replied_ = 0;  // so many of them were answered
  std::deque<GivenUp> given_up_;
  std::string due_;  // the reason of the gap that must come next
  bool live_ = false;
  std::string epoch_;
  std::optional<Cursor> cursor_;
  Offset position_ = 0;           // everything up to here was received, or told
  std::set<std::size_t> losses_;  // of the model, since it connected, that it has not been told of
  std::size_t losses_seen_ = 0;   // so many of the model's were looked at
  std::set<Offset> seen_;         // not marked, since the numbering began
  std::uint64_t serial_ = 0;
  std::string fault_;
};

}  // namespace trestle::delivery
