#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/core/groups.h"
#include "bridge/core/outbox.h"
#include "bridge/core/shelf.h"
#include "bridge/core/spine.h"
#include "proto/frame.h"
#include "proto/notice.h"

/// The bridge of the delivery property test: the real core, put together as a shard and its sessions put it
/// together, with a string for each socket.
namespace trestle::delivery {

/// bridge/front's Session, without its sockets, rights and deadlines.
class Session final : public Receiver {
 public:
  /// `room`: bytes that its socket takes before the client has read some. `piece`: bytes of a pull.
  Session(const Shelf& shelf, Groups& groups, std::size_t room, std::size_t piece)
      : shelf_(shelf), groups_(groups), room_(room), piece_(piece) {}
  ~Session() {
    if (group_ != nullptr) groups_.leave(*group_, this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void open(Subscription wanted, const std::optional<Cursor>& since) {
    subscription_ = std::move(wanted);
    send_text(welcome_notice(shelf_.epoch(), shelf_.head(), "1", std::chrono::seconds(30)));
    take(shelf_.connect(subscription_, since));
  }
  void subscribe(const std::vector<Pattern>& patterns, const std::optional<Cursor>& since) {
    auto wanted = all_topics();
    for (const auto& pattern : patterns) wanted.add(pattern);
    send_text(R"({"success":true,"data":{"type":"subscribed"}})");
    take(shelf_.widen(std::move(wanted), all_topics(), since));
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
  void announce_epoch() { send_text(gap_notice(shelf_.new_epoch_gap())); }
  /// A heartbeat while idle.
  void beat() {
    if (outbox_.empty() && replays_.empty()) send_text(cursor_notice(shelf_.epoch(), shelf_.head()));
  }
  void deliver(const ChunkPtr& chunk) override { send(chunk); }

  /// The socket has room again.
  void turn() {
    flush();
    if (!outbox_.empty() || replays_.empty()) return;
    auto piece = shelf_.next(replays_.front(), piece_);
    if (piece.lost_after) send_text(gap_notice(shelf_.gap_after({shelf_.epoch(), *piece.lost_after})));
    if (piece.chunk) send(piece.chunk);
    if (!piece.done) return;
    auto wanted = replays_.front().wanted();
    replays_.pop_front();
    regroup(std::move(wanted));
    send_text(live_notice(shelf_.epoch(), shelf_.head()));
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
  void take(Shelf::Way way) {
    if (way.resume) outbox_.start_at(*way.resume);
    if (way.gap) send_text(gap_notice(*way.gap));
    replays_.push_back(std::move(way.replay));
  }
  const Subscription& all_topics() const {
    return replays_.empty() ? subscription_ : replays_.back().wanted();
  }
  void regroup(Subscription wanted) {
    if (group_ != nullptr) groups_.leave(*group_, this);
    subscription_ = std::move(wanted);
    group_ = &groups_.join(subscription_, this);
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

  const Shelf& shelf_;
  Groups& groups_;
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
    shelf.load({past.events, past.lost, stream_->head(), stream_->epoch()}, past, now.wall);
  }
  /// What a shard does with a batch.
  void apply(const Batch& batch, const std::vector<Session*>& sessions) {
    if (!shelf.is_in(batch.epoch)) {
      shelf.enter(batch.epoch);
      for (auto* session : sessions) session->announce_epoch();
    }
    shelf.keep(batch);
    groups.add(batch, shelf.epoch());
    groups.hand_out();
  }
  void expire(Micros wall) { shelf.expire(wall); }
  const Stream& stream() const { return *stream_; }

 private:
  std::unique_ptr<Stream> stream_;

 public:
  Spine spine;
  Shelf shelf;
  Groups groups;
};

}  // namespace trestle::delivery
