#pragma once
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/core/door.h"
#include "bridge/core/groups.h"
#include "bridge/core/outbox.h"
#include "bridge/core/replay.h"
#include "bridge/front/byte_stream.h"
#include "bridge/front/handshake.h"
#include "bridge/front/http.h"
#include "bridge/front/http_reader.h"
#include "bridge/front/proxy_header.h"
#include "bridge/front/shard.h"
#include "bridge/front/token_bucket.h"
#include "bridge/front/visitor.h"
#include "bridge/front/websocket.h"
#include "proto/close_code.h"
#include "proto/cursor.h"
#include "proto/notice.h"
#include "proto/request.h"

namespace trestle {

/// One connection, from accept to close: first an HTTP request, then, if that asked for it, a WebSocket
/// client.
///
///     request ─► gathering ─► answering (HTTP) ─► lingering
///        └─────► waiting (for a token) ─► live ─► closing ─► answering ─► lingering
///
/// Everything that leaves goes through one outbox, or past it when it is empty. A session's own failure ends
/// that session and nothing else.
///
/// Owner: its shard; pending I/O holds a reference too.  Thread: the shard's.
/// Bound: session.queue bytes wait for it; then it catches up from the stream, or is closed with 4408.
/// Snapshots and replays are pulled as the socket drains, a piece at a time.
class Session final : public Receiver, private WebSocketEvents, public std::enable_shared_from_this<Session> {
 public:
  Session(Shard& shard, std::string id, asio::ip::tcp::socket socket, std::unique_ptr<ByteStream> stream,
          std::shared_ptr<const ListenerInfo> info, std::unique_ptr<Visitor> visitor);

  void start();
  /// Lets go of its group and its place in the limits; the last thing its shard calls.
  void release();
  /// From its group: frames of a batch.
  void deliver(const ChunkPtr& chunk) override;
  /// The next piece of its replay, if its outbox is empty; see Shard::pull_later(). True if there is more
  /// that it would take now.
  bool pull();
  /// Deadlines, heartbeat, expiry.
  void tick(Now now);
  /// The stream's epoch is another from here on.
  void announce_epoch();
  void announce_drain(std::chrono::milliseconds after, std::chrono::milliseconds spread);
  /// Starts the closing handshake; an HTTP connection is simply ended.
  void close(CloseCode code, std::string_view reason = {});

  bool is_websocket() const { return ws_ != nullptr; }
  SessionStatus status() const;

 private:
  static constexpr std::size_t kMaxReplays = 16;  // that wait for their turn
  enum class Phase {
    request,    ///< reading the HTTP request
    gathering,  ///< its answer comes from elsewhere
    waiting,    ///< a WebSocket without a token yet
    live,       ///< in a group
    closing,    ///< our close frame is on its way, the peer's not here
    answering,  ///< writes what is left, then ends its side
    lingering,  ///< has ended its side, waits for the peer's
    over,
  };
  using Time = std::chrono::steady_clock::time_point;

  // session.cpp: bytes in and out
  void live_before();
  void wait_readable();
  void on_readable();
  void on_bytes(std::string_view bytes);
  void send(const ChunkPtr& chunk);
  void send_bytes(std::string_view bytes, bool frames);
  void flush();
  bool holds_bytes() const { return !outbox_.empty() || stream_->holds_bytes(); }
  void wait_writable();
  void wrote(std::size_t bytes);
  void finish();
  void end();
  void set_phase(Phase phase, std::chrono::milliseconds deadline);

  // session_pressure.cpp: a client that reads too slowly
  std::size_t queue_limit() const { return shard_.context().settings.session.queue; }
  bool is_over_limit() const;
  void under_pressure();
  void make_room();
  void catch_up();
  void miss(const Chunk& chunk);
  void tell_missed(const Replay::Piece& piece);
  std::string dropped_notice(const Dropped& dropped) const;
  void pressure_falls();
  void too_slow();
  void heartbeat(Now now);

  // session_http.cpp: HTTP and the way to a WebSocket
  void on_request();
  void refuse_request(int status, std::string_view why);
  void answer(const HttpResponse& response);
  void answer_bad_handshake();
  void answer_status();
  void gather_status(const IdentityPtr& reader);
  void upgrade(const HttpRequest& request, const EndpointSettings& endpoint);
  void refuse(CloseCode code, std::string_view reason);

  // session_doors.cpp: who is let in
  struct Refusal {
    CloseCode code;
    std::string reason;
  };
  bool has_proxy_header();
  bool knows_visitor();
  bool may_try_token();
  std::optional<Refusal> find_refusal(const HttpRequest& request, const Handshake& handshake);
  Result<IdentityPtr, AuthFailure> try_token(std::string_view token);
  void token_was_refused(AuthFailure failure);
  void tell_certificate();

  // session_rights.cpp: whose session it is, and what it may do
  void authenticate(const Request& request);
  bool token_holds(Micros now);
  bool may_hold(Door asked_at, const Pattern& pattern, bool since) const;
  void renew(IdentityPtr identity);
  void withdraw(Hidden hidden_now);
  void apply_rights();
  std::vector<Pattern> forbidden_topics() const;
  void follow_rights();

  // WebSocketEvents
  void ws_write(std::string_view bytes) override;
  void ws_open(bool deflate) override;
  void ws_text(const std::string& text) override;
  void ws_binary() override;
  void ws_ping(const std::string& payload) override;
  void ws_closed(std::uint16_t code) override;

  // session_requests.cpp: what a client asks for, and its subscription
  void go_live();
  void handle(const Request& request);
  void subscribe(const Request& request);
  void unsubscribe(const Request& request);
  void report(const Request& request);
  void take(Shelf::Way way);
  void want_pull();
  bool has_to_pull() const;
  void end_replay();
  const Subscription& all_topics() const;
  void send_live();
  void send_cursor();
  void give_up(const std::vector<Pattern>& patterns);
  void hold(Subscription left);
  static std::shared_ptr<Chunk> text_chunk(std::string_view text);
  void send_text(std::string_view text);
  void send_marked(std::string_view text, bool live);
  void send_frame(const ChunkPtr& chunk);
  void send_notice(std::string_view text);
  void fail(const std::string& id, std::string_view code, std::string message);
  static std::string topics_json(const Subscription& subscription);
  void regroup(Subscription wanted);
  bool has_meta() const { return subscription_.form == Form::meta; }
  bool take_turn();

  // What a delivery reads and writes, together: with thousands of sessions each cache line comes from memory.
  Shard& shard_;
  std::unique_ptr<ByteStream> stream_;
  Phase phase_ = Phase::request;
  // While the first replay is a catch-up: what the group gets comes from there too, and what nothing keeps of
  // that is added to what is to be told at its place.
  std::unique_ptr<Outbox::Unread> unread_;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
  Time progress_{};  // bytes written, or the outbox was empty
  Time last_event_{};
  Time sign_of_life_{};
  std::optional<Time> pinged_;
  Outbox outbox_;

  Time deadline_{};  // of the phase; live has none
  const std::string id_;
  asio::ip::tcp::socket socket_;
  std::shared_ptr<const ListenerInfo> info_;
  const std::unique_ptr<Visitor> visitor_;

  std::unique_ptr<ProxyHeader> proxy_header_;  // until it is whole
  std::unique_ptr<HttpReader> reader_;         // until the request is whole
  bool head_only_ = false;
  std::unique_ptr<WebSocket> ws_;
  bool ws_opened_ = false;
  std::optional<Refusal> refusal_;  // decided before the handshake, told after it

  std::string endpoint_;
  bool needs_token_ = true;
  bool default_topics_ = true;                         // no topics were named: everything the token may read
  std::optional<std::vector<Pattern>> wanted_topics_;  // until live
  std::optional<std::string> since_;                   // until live
  IdentityPtr identity_;
  std::uint64_t looked_up_in_ = 0;  // the authority's generation that identity_ is of
  Subscription subscription_;
  Group* group_ = nullptr;

  std::list<Replay> replays_;  // the first is being pulled; the group has what came before
  Offset replayed_up_to_ = 0;  // what is not newer was given by a replay that has ended
  Offset told_up_to_ = 0;      // the client knows that events up to here may be missing
  bool waiting_pull_ = false;  // in the shard's queue of those who pull
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
  bool read_wants_write_ = false;  // TLS
  bool had_token_ = false;         // in what was read last: its traces are still to be wiped
  TokenBucket requests_;
  Micros since_wall_ = 0;
};

/// What a client is told that shows such a token.
CloseCode close_code_of(AuthFailure failure);

}  // namespace trestle
