#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/core/deflate.h"
#include "bridge/core/event.h"
#include "bridge/core/outbox.h"
#include "proto/envelope.h"
#include "proto/pattern.h"

namespace trestle {

/// Takes encoded frames; a session, seen from the core.
class Receiver {
 public:
  /// Must not join or leave a group before it returns.
  virtual void deliver(const ChunkPtr& chunk) = 0;

 protected:
  ~Receiver() = default;
};

/// What a session wants and in which form. Equal subscriptions share a group.
struct Subscription {
  std::vector<Pattern> topics;  ///< sorted by text, no two equal
  Form form = Form::envelope;
  bool deflate = false;  ///< takes compressed messages
  Hidden hidden = 0;     ///< what is redacted for it

  bool matches(std::string_view topic) const { return any_matches(topics, topic); }
  /// Adds a pattern unless it is there; true if it was added.
  bool add(const Pattern& pattern);
  /// Removes an equal pattern; true if there was one.
  bool remove(const Pattern& pattern);
  /// Leaves of the topics those that one of `allowed` matches too.
  void narrow(const std::vector<Pattern>& allowed);
  /// The patterns that `held` does not have.
  std::vector<Pattern> beyond(const Subscription& held) const;
  /// The same text for equal subscriptions.
  std::string key() const;
};

/// Bytes that append_event() would append.
std::size_t frame_size(Form form, const Event& event, bool replay);
/// The same, were its payload of `payload` bytes.
std::size_t frame_size(Form form, const Event& event, std::size_t payload, bool replay);
/// Appends the event's frame in `form`. A replay does not move a client's cursor, so it leaves no mark.
void append_event(Chunk& chunk, Form form, const EventPtr& event, bool replay);

/// Appends the notice of a loss, at the place that it has in `epoch`. It moves no cursor: no mark either.
void append_gap(Chunk& chunk, const LostRange& lost, std::string_view epoch);

/// Sessions with the same subscription, form, compression and redaction: what they get is matched, encoded
/// and joined into one buffer once, and that buffer is shared by all of them.
class Group {
 public:
  explicit Group(Subscription subscription) : subscription_(std::move(subscription)) {}

  const Subscription& subscription() const { return subscription_; }
  std::size_t size() const { return members_.size(); }

 private:
  friend class Groups;
  Subscription subscription_;
  std::vector<Receiver*> members_;
  std::shared_ptr<Chunk> pending_;  // of the batch at hand
  std::size_t saved_ = 0;           // bytes that compression took from it
};

/// All groups of a shard, and the delivery of a batch to them.
///
/// Cost: each event is matched once per topic (cached), encoded once per form, whole and, if it is
/// redacted for somebody, once more without what is hidden, compressed once for each of these if a group
/// takes that, copied once into each group's buffer; then one deliver() per member, however many
/// batches were added. Thread: the shard's.
/// Bound: the cache holds kMaxCached topics and is emptied when full or when a group comes or goes.
class Groups {
 public:
  static constexpr std::size_t kMaxCached = 65'536;
  static constexpr std::size_t kEventsTogether = 512;        // in one chunk
  static constexpr std::size_t kBytesTogether = 256 * 1024;  // in one chunk, and an event more
  static constexpr std::size_t kMaxWaiting = 1024 * 1024;    // in all, and an event for each more

  /// Messages from `deflate_from` bytes on are compressed for who takes that, if they get shorter by it.
  explicit Groups(std::size_t deflate_from = 1024) : deflate_from_(deflate_from) {}

  /// Puts a receiver into the group for its subscription; the reference is valid until that receiver leaves.
  Group& join(const Subscription& subscription, Receiver* receiver);
  void leave(Group& group, Receiver* receiver);

  /// Adds the batch's events to what waits for all who want them, and its losses, as gap notices of `epoch`,
  /// to what waits for every group with meta. Hands out whenever as much waits as should be delivered
  /// together, in the middle of the batch too. Nobody joins or leaves before hand_out().
  void add(const Batch& batch, std::string_view epoch);
  /// Something was added, and is wanted.
  bool has_waiting() const { return !touched_.empty(); }
  /// Delivers what was added, one chunk for each receiver.
  void hand_out();
  std::size_t size() const { return groups_.size(); }
  /// Chunks handed to receivers since the start.
  std::uint64_t hand_overs() const { return hand_overs_; }
  /// Frames handed to receivers since the start.
  std::uint64_t deliveries() const { return deliveries_; }
  /// Messages that the compressor ran for.
  std::uint64_t deflated() const { return deflated_; }
  /// Bytes that receivers were handed less for it, over all of them.
  std::uint64_t deflate_saved() const { return deflate_saved_; }

 private:
  static void deliver(const std::vector<Receiver*>& members, const ChunkPtr& chunk);
  class EncodedEvent;
  const std::vector<Group*>& matching(const std::string& topic);
  void add_event(const EventPtr& event);
  void add_gap(const LostRange& lost, std::string_view epoch);
  Chunk& pending(Group& group);
  void count(const Chunk& chunk, std::size_t added);
  bool is_full() const;
  bool deflate(std::string_view message, std::string& out);

  std::map<std::string, std::unique_ptr<Group>> groups_;  // by key
  std::unordered_map<std::string, std::vector<Group*>> by_topic_;
  std::vector<Group*> touched_;
  std::size_t most_events_ = 0;  // that wait for one group
  std::size_t most_bytes_ = 0;   // the same
  std::size_t waiting_ = 0;      // bytes, for all groups
  std::uint64_t hand_overs_ = 0;
  std::uint64_t deliveries_ = 0;
  const std::size_t deflate_from_;
  std::unique_ptr<Deflater> deflater_;  // once it is needed
  std::uint64_t deflated_ = 0;
  std::uint64_t deflate_saved_ = 0;
};

}  // namespace trestle
