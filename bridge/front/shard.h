#pragma once
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bridge/core/groups.h"
#include "bridge/core/pressure.h"
#include "bridge/core/rate_meter.h"
#include "bridge/core/shelf.h"
#include "bridge/core/spsc_queue.h"
#include "bridge/front/front_context.h"
#include "bridge/front/line_limit.h"
#include "bridge/front/websocket.h"

namespace trestle {

class ByteStream;
class Session;
class Visitor;

/// What /api/status shows of a session.
struct SessionStatus {
  std::string id, address, identity, endpoint;
  std::string certificate;  ///< name in the client's; empty without one
  Form form = Form::envelope;
  bool deflate = false;  ///< takes compressed messages
  std::vector<std::string> topics;
  Micros since = 0;
  std::uint64_t sent = 0;   ///< event frames
  std::uint64_t bytes = 0;  ///< of everything written
  std::size_t queued = 0;   ///< bytes in the outbox
};

/// What /api/status shows of a shard.
struct ShardStatus {
  struct Topic {
    std::string topic;
    Offset offset;
    Micros time;
  };
  struct Counters {
    std::uint64_t accepted = 0;        ///< connections
    std::uint64_t coalesced = 0;       ///< batches delivered together with the one before
    std::uint64_t too_slow = 0;        ///< sessions closed with 4408
    std::uint64_t catch_ups = 0;       ///< full outboxes dropped and read again from the stream
    std::uint64_t heartbeat_lost = 0;  ///< sessions dropped because they stayed silent
    std::uint64_t timed_out = 0;       ///< connections ended because their request did not come in time
    std::uint64_t refused = 0;         ///< sessions closed for their token, rights, query or limits
    std::uint64_t bad_requests = 0;    ///< connections whose request is not HTTP as we want it, or too large
    std::uint64_t bad_origin = 0;      ///< of them: of web pages that may not connect
    std::uint64_t auth_failed = 0;     ///< unknown tokens, wherever they came in
    std::uint64_t backed_off = 0;      ///< tokens not looked at, after too many unknown ones from there
    std::uint64_t turned_away = 0;     ///< connections far over the limits, or without the PROXY header
  };
  std::vector<SessionStatus> sessions;
  std::size_t connections = 0;  ///< of every kind, at this moment
  std::vector<Topic> topics;    ///< the snapshot; the same on every shard
  Counters counters;
  std::vector<Pressure::Line> pressure;
  std::uint64_t deliveries = 0;
  std::uint64_t deflated = 0;       ///< messages that were compressed, once for all who get them
  std::uint64_t deflate_saved = 0;  ///< bytes that clients were sent less for it
  std::uint64_t bytes_out = 0;
  double deliveries_per_second = 0;
  double bytes_per_second = 0;
};

/// One event loop on one thread, and every session that lives there.
///
/// push(), notify() and has_room() belong to the spine's thread; adopt(), post() and stop() may be called
/// from any; everything else is the shard's own.
class Shard {
 public:
  Shard(std::size_t index, FrontContext& context);
  ~Shard();

  /// What the stream kept from before this start, `kept` its events; before start().
  void load(const Batch& kept, const Past& past);
  void start();
  /// Ends the loop and waits for the thread; sessions are dropped where they stand.
  void stop();

  /// For sockets that are accepted straight onto this shard.
  asio::io_context& io() { return io_; }
  void adopt(asio::ip::tcp::socket socket, std::unique_ptr<ByteStream> stream,
             std::shared_ptr<const ListenerInfo> info, std::unique_ptr<Visitor> visitor);
  void post(std::function<void()> task);

  bool has_room() const { return inbox_.has_room_for(1); }
  /// The batch lies in the inbox; notify() must follow.
  void push(const BatchPtr& batch);
  /// Wakes the shard if it sleeps and has somebody to deliver to.
  void notify();
  /// Connections of every kind, at this moment; any thread.
  std::size_t session_count() const { return session_count_; }

  // --- the shard's own thread ---
  FrontContext& context() { return context_; }
  Groups& groups() { return groups_; }
  const Shelf& shelf() const { return shelf_; }
  Pressure& pressure() { return pressure_; }
  /// What /readyz answers with: "ok", "degraded" or "draining".
  std::string_view readiness() const {
    return draining_ ? "draining" : shelf_.is_degraded() ? "degraded" : "ok";
  }
  WebSocketFactory& websockets() { return websockets_; }
  /// For reading from any of this shard's sockets, one at a time.
  std::array<char, 65536>& read_buffer() { return read_buffer_; }
  ShardStatus::Counters& counters() { return counters_; }
  /// For the lines of each kind that strangers can cause.
  LineLimit& refusal_lines() { return refusal_lines_; }
  LineLimit& request_lines() { return request_lines_; }
  LineLimit& page_lines() { return page_lines_; }
  LineLimit& token_lines() { return token_lines_; }
  LineLimit& back_off_lines() { return back_off_lines_; }
  LineLimit& certificate_lines() { return certificate_lines_; }
  void count_bytes(std::size_t bytes) { bytes_out_ += bytes; }
  /// Applies the batches that wait, for a turn at most. First of all in every handler of a session: what is
  /// live goes before handshakes, requests and replays, however many of them there are.
  void live_first();
  /// The same, unless what follows them is waited for: for handlers of sessions that are live already.
  void live_soon();
  /// Applies the batches that wait until the shelf knows the cursor, however long that takes: who brings it
  /// may have it from another shard, which was faster.
  void reach(const Cursor& cursor);
  /// The session has a replay and room for a piece of it: it pulls in turn with all others who do.
  void pull_later(std::shared_ptr<Session> session);
  bool nobody_pulls() const { return pulling_.empty(); }
  /// The session is over; it is let go once the current batch is through.
  void retire(Session& session);
  ShardStatus status();
  /// Deadlines, heartbeats, expiry, rates; called every few milliseconds while the shard runs.
  void tick(Now now);
  /// Tells every session to come back elsewhere, then closes it with 1001.
  void drain(std::chrono::milliseconds after, std::chrono::milliseconds spread);

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kInboxBatches = 1024;
  static constexpr std::chrono::milliseconds kTurn{20};            // of batches, then sockets get theirs
  static constexpr std::size_t kPullsPerTurn = 8;                  // the same
  static constexpr std::uint64_t kCrowd = 32;                      // sessions; fewer are never made to wait
  static constexpr int kTurnPerDelivery = 4;                       // see coalesce()
  static constexpr std::chrono::microseconds kShortestPause{500};  // a timer costs more than it saves

  void wait_for_batches();
  void take_batches();
  void apply_batches();
  bool apply_some();
  /// True if the batch that the cursor is from may be in the inbox.
  bool may_wait(const Cursor& cursor) const;
  template <class Enough>
  bool apply_until(Enough enough);
  void coalesce(Clock::time_point begin, std::uint64_t sessions);
  bool is_pausing() const;
  void pull_some();
  /// Takes a batch into the shelf; delivering it to the sessions is apart.
  void keep(const Batch& batch);
  bool nothing_left();
  void reap();
  void wait_for_tick();

  const std::size_t index_;
  FrontContext& context_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer ticker_{io_};
  std::chrono::milliseconds tick_every_;

  SpscQueue<BatchPtr> inbox_{kInboxBatches};  // the spine writes, this thread reads
  asio::posix::stream_descriptor wake_{io_};  // an eventfd, written when the shard sleeps
  std::atomic<Offset> newest_{0};             // the head of the last batch that was pushed
  std::atomic<bool> sleeping_{true};
  asio::steady_timer pause_{io_};
  Clock::time_point pause_until_;  // see coalesce()

  WebSocketFactory websockets_;
  Groups groups_;
  Shelf shelf_;
  Pressure pressure_;
  bool draining_ = false;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::atomic<std::size_t> session_count_{0};
  std::vector<Session*> retired_;
  std::deque<std::shared_ptr<Session>> pulling_;
  std::array<char, 65536> read_buffer_;
  std::uint64_t next_session_ = 1;
  ShardStatus::Counters counters_;
  LineLimit refusal_lines_;
  LineLimit request_lines_;
  LineLimit page_lines_;
  LineLimit token_lines_;
  LineLimit back_off_lines_;
  LineLimit certificate_lines_;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t metered_deliveries_ = 0;
  std::uint64_t metered_bytes_ = 0;
  RateMeter delivery_rate_;
  RateMeter byte_rate_;
  std::thread thread_;
};

}  // namespace trestle
