#pragma once
#include <map>
#include <stdexcept>

#include "bridge/core/producers.h"
#include "fixtures.h"

namespace trestle {

using namespace std::chrono_literals;

inline constexpr std::uint64_t kEpoch = 1'000;

/// The bridge's side of the control socket, and producers that speak to it by hand. A producer's routing id
/// is "@" and its name unless it says otherwise.
class ProducersFixture {
 public:
  explicit ProducersFixture(ProducerLimits limits = {}) : producers_(limits, rejections) {}

  void hello(const std::string& id, Seq first, Seq last, Seq acked = 0, std::uint64_t epoch = kEpoch,
             const std::string& peer = {}) {
    auto message = from(id, FromProducer::Kind::hello, epoch);
    message.first = first;
    message.last = last;
    message.acked = acked;
    control(message, peer);
  }
  void beat(const std::string& id, Seq first, Seq last, std::uint64_t epoch = kEpoch,
            const std::string& peer = {}) {
    auto message = from(id, FromProducer::Kind::beat, epoch);
    message.first = first;
    message.last = last;
    control(message, peer);
  }
  void gone(const std::string& id, Seq first, Seq last) {
    auto message = from(id, FromProducer::Kind::gone, kEpoch);
    message.from = first;
    message.to = last;
    control(message, {});
  }
  void bye(const std::string& id, Seq last) {
    auto message = from(id, FromProducer::Kind::bye, kEpoch);
    message.last = last;
    control(message, {});
  }
  void publish(const std::string& id, Seq seq, std::uint64_t epoch = kEpoch) {
    producers_.offer(id, {epoch, seq, 1}, event_of(std::to_string(seq)), at(now_), ready_);
  }
  void publish_all(const std::string& id, Seq first, Seq last) {
    for (auto seq = first; seq <= last; ++seq) publish(id, seq);
  }
  /// Time passes in the steps a bridge takes; nobody says anything.
  void wait(milliseconds time) {
    for (const auto end = now_ + time; now_ < end;) {
      now_ = std::min(end, now_ + 50ms);
      producers_.tick(at(now_), ready_);
    }
  }

  std::string stream() { return take_text(ready_); }
  /// What the bridge says once the stream has what was ready, as "@p1 ack 3 lost 2".
  std::string answers() {
    producers_.after_commit(at(now_));
    std::string text;
    for (const auto& answer : producers_.take_messages()) {
      text += (text.empty() ? "" : ", ") + answer.peer + " " + text_of(answer.message);
    }
    return text.empty() ? "nothing" : text;
  }
  /// The same, but nothing of it reaches its producer.
  std::string undelivered(bool unreachable) {
    producers_.after_commit(at(now_));
    std::string text;
    for (const auto& answer : producers_.take_messages()) {
      text += (text.empty() ? "" : ", ") + answer.peer + " " + text_of(answer.message);
      producers_.undelivered(answer, unreachable);
    }
    return text.empty() ? "nothing" : text;
  }
  /// While the stream keeps nothing.
  std::string answers_degraded() {
    producers_.after_commit(at(now_), false);
    std::string text;
    for (const auto& answer : producers_.take_messages()) add_word(text, text_of(answer.message));
    return text.empty() ? "nothing" : text;
  }
  /// What the stream is to keep: "p1/1000:3", "p1/1000:3-5" when 4 and 5 are missed, "… old" or "…
  /// forgotten".
  std::string marks() {
    std::string text;
    for (const auto& mark : producers_.take_marks()) {
      kept_[{mark.id, mark.epoch}] = mark;
      const auto life = mark.id + "/" + std::to_string(mark.epoch);
      using State = ProducerMark::State;
      if (mark.state == State::forgotten) {
        add_word(text, life + " forgotten");
      } else {
        add_word(text, life + ":" + range_text(mark.have, mark.known));
        if (mark.state == State::superseded) add_word(text, "old");
        if (mark.state == State::left) add_word(text, "left");
      }
    }
    return text.empty() ? "nothing" : text;
  }
  /// A start of the bridge with what marks() gave `former`.
  void restore_from(const ProducersFixture& former) {
    std::vector<ProducerMark> marks;
    for (const auto& [life, mark] : former.kept_) {
      if (mark.state != ProducerMark::State::forgotten) marks.push_back(mark);
    }
    producers_.restore(marks, at(now_));
  }
  std::string presence() {
    std::string text;
    for (const auto& change : producers_.take_changes()) {
      add_word(text, change.id + ":" + std::string(name_of(change.presence)));
    }
    return text.empty() ? "unchanged" : text;
  }
  Producers::Info info(const std::string& id) const {
    for (auto& info : producers_.list(at(now_))) {
      if (info.id == id) return info;
    }
    throw std::runtime_error("no producer " + id);
  }
  std::uint64_t rejected(Reject reason) const { return rejections.total(reason); }
  bool acks_pending() const { return producers_.acks_pending(); }
  std::size_t known() const { return producers_.list(at(now_)).size(); }

  Rejections rejections;

 private:
  static FromProducer from(const std::string& id, FromProducer::Kind kind, std::uint64_t epoch) {
    FromProducer message;
    message.kind = kind;
    message.producer = id;
    message.epoch = epoch;
    return message;
  }
  void control(const FromProducer& message, const std::string& peer) {
    producers_.control(peer.empty() ? "@" + message.producer : peer, message, at(now_), ready_);
  }
  static std::string text_of(const FromBridge& message) {
    switch (message.kind) {
      case FromBridge::Kind::welcome: return "welcome " + std::to_string(message.seq);
      case FromBridge::Kind::replay: return "replay " + range_text(message.from, message.to);
      case FromBridge::Kind::refused: return "refused " + message.reason;
      case FromBridge::Kind::command: return "command";
      case FromBridge::Kind::ack: break;
    }
    auto text = "ack " + std::to_string(message.seq);
    if (!message.lost.empty()) text += " lost";
    for (const auto& [first, last] : message.lost) text += " " + range_text(first, last);
    return text;
  }

  Producers producers_;
  std::map<std::pair<std::string, std::uint64_t>, ProducerMark> kept_;
  Ready ready_;
  milliseconds now_{0};
};

/// A bridge that p1 has said hello to; nothing is waiting to be told.
inline ProducersFixture with_p1(ProducerLimits limits = {}) {
  ProducersFixture bridge(limits);
  bridge.hello("p1", 1, 0);
  bridge.answers();
  bridge.presence();
  return bridge;
}

}  // namespace trestle
