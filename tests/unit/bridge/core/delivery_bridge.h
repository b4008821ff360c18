#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/groups.h"
#include "bridge/core/history.h"
#include "bridge/core/outbox.h"
#include "bridge/core/replay.h"
#include "bridge/core/snapshot.h"
#include "bridge/core/spine.h"
#include "proto/cursor.h"
#include "proto/frame.h"
#include "proto/notice.h"

/// The bridge of the delivery property test: the real core, put together as a shard and its sessions put it
/// together, with a string for each socket.
namespace trestle::delivery {

/// What a shard has of the stream.
struct Shelf {
  explicit Shelf(const PolicyTable& policies) : snapshot(policies), history(policies) {}
  Snapshot snapshot;
  History history;
  Groups groups;
  Offset head = 0;
  EpochPtr epoch;
};

/// bridge/front's Session, without its sockets, rights and deadlines.
class Session final : public Receiver {
 public:
  /// `room`: bytes that its socket takes before the client has read some. `piece`: bytes of a pull.
  Session(Shelf& shelf, std::size_t room, std::size_t piece) : shelf_(shelf), room_(room), piece_(piece) {}
  ~Session() {
    if (group_ != nullptr) shelf_.groups.leave(*group_, this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void open(Subscription wanted, const std::optional<Cursor>& since) {
    subscription_ = std::move(wanted);
    send_text(welcome_notice(*shelf_.epoch, shelf_.head, "1", std::chrono::seconds(30)));
    if (!since) {
      replays_.push_back(Replay::join(shelf_.history, subscription_, shelf_.head));
    } else if (covers(*since, subscription_.topics)) {
      outbox_.start_at(since->offset);
      replays_.push_back(Replay::resume(shelf_.history, subscription_, since->offset));
    } else {
      if (!since->epoch.empty()) send_gap(*since);
      replays_.push_back(Replay::restart(shelf_.history, subscription_, known_offset(*since), shelf_.head));
    }
  }
  void subscribe(const std::vector<Pattern>& patterns, const std::optional<Cursor>& since) {
    auto wanted = all_topics();
    for (const auto& pattern : patterns) wanted.add(pattern);
    send_text(R"({"success":true,"data":{"type":"subscribed"}})");
    const auto held = all_topics();
    if (!since) {
      replays_.push_back(Replay::join_in_band(wanted, held, shelf_.head));
    } else if (covers(*since, wanted.beyond(held))) {
      replays_.push_back(Replay::in_band(shelf_.history, wanted, held, since->offset, since->offset, 0));
    } else {
      if (!since->epoch.empty()) send_gap(*since);
      replays_.push_back(Replay::in_band(shelf_.history, wanted, held, known_offset(*since), 0, shelf_.head));
    }
  }
  void unsubscribe(const Pattern& pattern) {
    send_text(R"({"success":true,"data":{"type":"unsubscribed"}})");
    auto left = subscription_;
    left.remove(pattern);
    for (auto& replay : replays_) replay.remove(pattern);
    if (group_ != nullptr) {
      regroup(std::move(left));
    } else {
      subscription_ = std::move(left);
    }
  }
  void announce_epoch() {
    Gap gap;
    gap.reason = GapReason::epoch;
    gap.epoch = *shelf_.epoch;
    gap.offset = shelf_.head;
    send_text(gap_notice(gap));
  }
  /// A heartbeat while idle.
  void beat() {
    if (outbox_.empty() && replays_.empty()) send_text(cursor_notice(*shelf_.epoch, shelf_.head));
  }
  void deliver(const ChunkPtr& chunk) override { send(chunk); }

  /// The socket has room again.
  void turn() {
    flush();
    if (!outbox_.empty() || replays_.empty()) return;
    auto piece = replays_.front().next(shelf_.history, shelf_.snapshot, *shelf_.epoch, shelf_.head, piece_);
    if (piece.lost_after) send_gap({*shelf_.epoch, *piece.lost_after});
    if (piece.chunk) send(piece.chunk);
    if (!piece.done) return;
    auto wanted = replays_.front().wanted();
    replays_.pop_front();
    regroup(std::move(wanted));
    send_text(live_notice(*shelf_.epoch, shelf_.head));
  }
  /// The client reads a message; nothing if none is there in full.
  std::optional<std::string> read() {
    if (socket_.size() < 2) return std::nullopt;
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(socket_[i]));
    };
    auto size = byte(1) & 0x7f;
    const std::size_t header = size == 126 ? 4 : size == 127 ? 10 : 2;
    if (socket_.size() < header) return std::nullopt;
    if (header > 2) size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | byte(i);
    if (socket_.size() < header + size) return std::nullopt;
    auto text = socket_.substr(header, size);
    socket_.erase(0, header + size);
    return text;
  }
  bool idle() const { return socket_.empty() && outbox_.empty() && replays_.empty(); }
  std::size_t waiting() const { return outbox_.bytes(); }
  bool can_ask() const { return replays_.size() < 4; }

 private:
  bool knows(const Cursor& cursor) const {
    return cursor.epoch == *shelf_.epoch && cursor.offset <= shelf_.head;
  }
  bool covers(const Cursor& cursor, const std::vector<Pattern>& topics) const {
    return knows(cursor) && shelf_.history.missing_up_to(topics) <= cursor.offset &&
           shelf_.history.has_losses_from(cursor.offset);
  }
  Offset known_offset(const Cursor& cursor) const { return knows(cursor) ? cursor.offset : 0; }
  const Subscription& all_topics() const {
    return replays_.empty() ? subscription_ : replays_.back().wanted();
  }
  void send_gap(const Cursor& cursor) {
    Gap gap;
    gap.epoch = *shelf_.epoch;
    gap.offset = shelf_.head;
    gap.reason = GapReason::epoch;
    if (knows(cursor)) {
      gap.reason = GapReason::trimmed;
      gap.from = std::min(cursor.offset + 1, gap.offset);
      gap.to = gap.offset;
    }
    send_text(gap_notice(gap));
  }
  void regroup(Subscription wanted) {
    if (group_ != nullptr) shelf_.groups.leave(*group_, this);
    subscription_ = std::move(wanted);
    group_ = &shelf_.groups.join(subscription_, this);
  }
  void send_text(const std::string& text) {
    auto chunk = std::make_shared<Chunk>();
    append_text_frame_header(chunk->bytes, text.size());
    chunk->bytes += text;
    send(std::move(chunk));
  }
  // Straight to the socket if nothing waits, as much as it takes.
  void send(ChunkPtr chunk) {
    if (!outbox_.empty()) return outbox_.push(std::move(chunk));
    const auto taken = take_in(chunk->bytes);
    if (taken == chunk->bytes.size()) return outbox_.note_written(*chunk);
    outbox_.push(std::move(chunk), taken);
  }
  std::size_t take_in(std::string_view bytes) {
    const auto count = std::min(bytes.size(), room_ - std::min(room_, socket_.size()));
    socket_.append(bytes.substr(0, count));
    return count;
  }
  void flush() {
    while (!outbox_.empty()) {
      std::string_view slice;
      outbox_.front(&slice, 1);
      const auto taken = take_in(slice);
      outbox_.consume(taken);
      if (taken < slice.size() || taken == 0) return;
    }
  }

  Shelf& shelf_;
  const std::size_t room_;
  const std::size_t piece_;
  Subscription subscription_;
  Group* group_ = nullptr;
  Outbox outbox_;
  std::deque<Replay> replays_;
  std::string socket_;  // written, not read yet
};

/// The spine over its stream, and one shard.
class Bridge {
 public:
  Bridge(const PolicyTable& policies, std::unique_ptr<Stream> stream, ProducerLimits limits, Now now)
      : stream_(std::move(stream)), spine(policies, EventLimits{}, *stream_, limits), shelf(policies) {
    const auto past = stream_->restore();
    spine.restore(past.producers, now);
    shelf.epoch = stream_->epoch();
    shelf.head = stream_->head();
    shelf.snapshot.restore(past.endings);
    shelf.history.restore_missing(past.missing);
    for (const auto& event : past.events) {
      shelf.snapshot.apply(event);
      shelf.history.apply(event);
    }
    for (const auto& lost : past.lost) shelf.history.apply(lost);
    shelf.history.forget_up_to(past.gone_up_to);
    expire(now.wall);
  }
  /// What a shard does with a batch.
  void apply(const Batch& batch, const std::vector<Session*>& sessions) {
    if (batch.epoch != shelf.epoch) {
      shelf.epoch = batch.epoch;
      for (auto* session : sessions) session->announce_epoch();
    }
    for (const auto& event : batch.events) {
      shelf.snapshot.apply(event);
      shelf.history.apply(event);
    }
    for (const auto& lost : batch.lost) shelf.history.apply(lost);
    shelf.head = batch.head;
    shelf.groups.add(batch, *shelf.epoch);
    shelf.groups.hand_out();
  }
  void expire(Micros wall) {
    shelf.snapshot.expire(wall);
    shelf.history.expire(wall);
  }
  const Stream& stream() const { return *stream_; }

 private:
  std::unique_ptr<Stream> stream_;

 public:
  Spine spine;
  Shelf shelf;
};

}  // namespace trestle::delivery
