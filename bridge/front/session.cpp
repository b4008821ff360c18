#include "bridge/front/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>

#include "bridge/core/clock.h"
#include "bridge/log/log.h"
#include "proto/frame.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kClosingTime{5'000};  // for the peer's half of the closing handshake
constexpr milliseconds kLingerTime{1'000};   // for the peer to close its side
constexpr std::size_t kReadsPerTurn = 8;     // then the other sessions get their turn
constexpr std::size_t kSlicesPerWrite = 16;
constexpr std::size_t kUnsentInKernel = 128 * 1024;
constexpr milliseconds kKernelTries{60'000};  // to bring what is left, once we let go

void set_options(asio::ip::tcp::socket& socket) {
  asio::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  const int fd = socket.native_handle();
  const int unsent = kUnsentInKernel;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

// How long the peer's kernel has acknowledged nothing. What our own kernel took proves nothing: it goes on
// taking a trickle of events for a peer that is gone. A peer that does not read acknowledges all the same,
// which TCP_USER_TIMEOUT does not see: it would reset one that lives.
milliseconds unacknowledged_for(asio::ip::tcp::socket& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return milliseconds{info.tcpi_last_ack_recv};
}

// Or the kernel would keep what a closed session left unread, for minutes.
void give_up_soon(asio::ip::tcp::socket& socket) {
  const auto tries = static_cast<unsigned int>(kKernelTries.count());
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &tries, sizeof tries);
}

}  // namespace

Session::Session(Shard& shard, std::string id, asio::ip::tcp::socket socket,
                 std::unique_ptr<ByteStream> stream, std::shared_ptr<const ListenerInfo> info,
                 std::unique_ptr<Visitor> visitor)
    : shard_(shard),
      stream_(std::move(stream)),
      id_(std::move(id)),
      socket_(std::move(socket)),
      info_(std::move(info)),
      visitor_(std::move(visitor)),
      proxy_header_(info_->proxy_protocol ? std::make_unique<ProxyHeader>() : nullptr),
      reader_(std::make_unique<HttpReader>(shard.context().settings.limits.body)),
      requests_(shard.context().settings.limits.requests_per_second, std::chrono::steady_clock::now()) {}

void Session::start() {
  set_options(socket_);
  const auto now = read_clock();
  sign_of_life_ = progress_ = last_event_ = now.steady;
  since_wall_ = now.wall;
  set_phase(Phase::request, shard_.context().settings.limits.handshake);
  on_readable();
}

void Session::release() {
  if (group_ != nullptr) shard_.groups().leave(*group_, this);
  group_ = nullptr;
  visitor_->leave();
  ws_.reset();
}

void Session::set_phase(Phase phase, milliseconds deadline) {
  if (phase_ == Phase::over) return;  // for good, whoever has not heard of it yet
  phase_ = phase;
  deadline_ = std::chrono::steady_clock::now() + deadline;
}

// --- bytes in ---

// Who is about to join gets nothing from before that, unless the shard is behind by more than one turn; for
// the others what is live comes soon enough.
void Session::live_before() {
  if (phase_ == Phase::live) {
    shard_.live_soon();
  } else {
    shard_.live_first();
  }
}

void Session::wait_readable() {
  if (waiting_readable_ || phase_ == Phase::over) return;
  waiting_readable_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const asio::error_code& error) {
                       self->waiting_readable_ = false;
                       self->live_before();
                       if (!error) self->on_readable();
                     });
}

void Session::on_readable() {
  if (proxy_header_ && !has_proxy_header()) return;
  auto& buffer = shard_.read_buffer();
  for (std::size_t i = 0; i < kReadsPerTurn; ++i) {
    if (phase_ == Phase::over) return;
    std::size_t got = 0;
    switch (stream_->read(buffer.data(), buffer.size(), got)) {
      case Io::done:
        sign_of_life_ = std::chrono::steady_clock::now();
        pinged_.reset();
        on_bytes({buffer.data(), got});
        wipe(buffer.data(), got);  // a token may be in there
        if (std::exchange(had_token_, false)) wipe_traces();
        break;
      case Io::wait_read: return wait_readable();
      case Io::wait_write: read_wants_write_ = true; return wait_writable();
      case Io::closed:
        // A client may end its side once it has asked: what it asked for still goes out, within the phase's
        // deadline.
        if (phase_ == Phase::gathering || phase_ == Phase::answering) return;
        if (ws_) ws_->end_of_input();
        return end();
      case Io::failed: return end();
    }
  }
  asio::post(shard_.io(), [self = shared_from_this()] {
    self->live_before();
    self->on_readable();
  });
}

void Session::on_bytes(std::string_view bytes) {
  switch (phase_) {
    case Phase::request: {
      const int status = reader_->feed(bytes);
      if (status == 0) return;
      if (status == 200) {
        on_request();
      } else {
        refuse_request(status, reader_->fault());
      }
      reader_.reset();  // with the token
      had_token_ = true;
      return;
    }
    case Phase::waiting:
    case Phase::live:
    case Phase::closing: return ws_->feed(bytes);
    case Phase::gathering:
    case Phase::answering:
    case Phase::lingering:
    case Phase::over: return;
  }
}

// --- bytes out ---

void Session::deliver(const ChunkPtr& chunk) {
  if (phase_ != Phase::live) return;
  if (unread_) return miss(*chunk);
  sent_ += chunk->marks.size();
  send(chunk);
  last_event_ = outbox_.empty() ? progress_ : std::chrono::steady_clock::now();
  if (outbox_.footprint() > queue_limit() / 2) under_pressure();
}

void Session::send(const ChunkPtr& chunk) {
  if (phase_ == Phase::over) return;
  if (!outbox_.empty()) return outbox_.push(chunk);
  const std::string_view bytes = chunk->bytes;
  std::size_t written = 0;
  const auto outcome = stream_->write(&bytes, 1, written);
  if (outcome == Io::failed || outcome == Io::closed) return end();
  wrote(written);  // even if that is nothing: the outbox was empty until now
  if (written == bytes.size()) {
    outbox_.note_written(*chunk);
    if (!stream_->holds_bytes()) return;
  } else {
    outbox_.push(chunk, written);
  }
  wait_writable();
}

void Session::send_bytes(std::string_view bytes, bool frames) {
  auto chunk = std::make_shared<Chunk>();
  chunk->bytes = bytes;
  chunk->frames = frames;
  send(chunk);
}

void Session::wrote(std::size_t bytes) {
  progress_ = std::chrono::steady_clock::now();
  if (bytes == 0) return;
  bytes_ += bytes;
  shard_.count_bytes(bytes);
}

void Session::wait_writable() {
  if (waiting_writable_ || phase_ == Phase::over) return;
  waiting_writable_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const asio::error_code& error) {
                       self->waiting_writable_ = false;
                       self->live_before();
                       if (error || self->phase_ == Phase::over) return;
                       if (std::exchange(self->read_wants_write_, false)) self->on_readable();
                       self->flush();
                     });
}

void Session::flush() {
  std::array<Outbox::Slice, kSlicesPerWrite> slices;
  if (phase_ != Phase::over && stream_->flush() == Io::failed) return end();
  while (!outbox_.empty() && phase_ != Phase::over) {
    const auto count = outbox_.front(slices.data(), slices.size());
    std::size_t written = 0;
    const auto outcome = stream_->write(slices.data(), count, written);
    if (outcome == Io::failed || outcome == Io::closed) return end();
    if (outcome != Io::done) break;
    wrote(written);
    outbox_.consume(written);
  }
  pressure_falls();
  if (holds_bytes()) return wait_writable();
  if (phase_ == Phase::answering) return finish();
  want_pull();
}

// Everything is written: end our side, and give the peer a moment to end its own, so that what it has not
// read yet is not thrown away by a reset.
void Session::finish() {
  if (phase_ == Phase::over) return;
  set_phase(Phase::answering, shard_.context().settings.session.stall);
  if (holds_bytes()) return;
  stream_->finish_writing();
  set_phase(Phase::lingering, kLingerTime);
  wait_readable();
}

void Session::end() {
  if (phase_ == Phase::over) return;
  phase_ = Phase::over;
  give_up_soon(socket_);
  asio::error_code ignored;
  socket_.close(ignored);
  stream_ = closed_stream();
  shard_.retire(*this);
}

// --- time ---

void Session::tick(Now now) {
  if (phase_ == Phase::over) return;
  if (phase_ != Phase::live) {
    if (group_ != nullptr) shard_.groups().leave(*std::exchange(group_, nullptr), this);
    if (now.steady < deadline_) return;
    if (phase_ == Phase::waiting) return refuse(CloseCode::unauthorized, "no token came in time");
    if (phase_ == Phase::request) ++shard_.counters().timed_out;
    return end();
  }
  if (!token_holds(now.wall)) return;
  // A pull that waits for its turn is our doing.
  if (holds_bytes() && now.steady - progress_ >= shard_.context().settings.session.stall) return too_slow();
  heartbeat(now);
}

void Session::heartbeat(Now now) {
  const auto& settings = shard_.context().settings.heartbeat;
  if (has_meta() && now.steady - last_event_ >= settings.interval && outbox_.empty()) {
    last_event_ = now.steady;
    if (replays_.empty()) send_cursor();
  }
  if (!settings.enabled) return;
  // The ping may be behind it: whether the client takes what waits is for session.stall to say.
  if (pinged_ && holds_bytes()) pinged_ = now.steady;
  if (pinged_ && now.steady - *pinged_ >= settings.timeout) {
    ++shard_.counters().heartbeat_lost;
    log::info("session dropped, no sign of life", {{"session", id_}, {"address", visitor_->address()}});
    return end();
  }
  if (pinged_ || now.steady - sign_of_life_ < settings.interval) return;
  sign_of_life_ = std::max(sign_of_life_, now.steady - unacknowledged_for(socket_));
  if (now.steady - sign_of_life_ < settings.interval) return;
  pinged_ = now.steady;
  std::string frame;
  append_control_frame(frame, kPingOpcode, {});
  send_bytes(frame, true);
}

void Session::announce_drain(milliseconds after, milliseconds spread) {
  if (phase_ == Phase::live && has_meta()) send_notice(drain_notice(after, spread));
}

// --- closing ---

void Session::close(CloseCode code, std::string_view reason) {
  if (phase_ == Phase::over || phase_ == Phase::closing || phase_ == Phase::lingering) return;
  if (!ws_opened_) return finish();
  if (phase_ == Phase::answering) return;
  set_phase(Phase::closing, kClosingTime);
  ws_->close(static_cast<std::uint16_t>(code), reason.empty() ? reason_of(code) : reason);
}

void Session::refuse(CloseCode code, std::string_view reason) {
  if (reason.empty()) reason = reason_of(code);  // the log tells what the client is told
  ++shard_.counters().refused;
  if (const auto left_out = shard_.refusal_lines().take(std::chrono::steady_clock::now())) {
    log::info("session refused", {{"session", id_},
                                  {"address", visitor_->address()},
                                  {"code", static_cast<int>(code)},
                                  {"reason", log::excerpt(reason)},
                                  {"left_out", *left_out}});
  }
  close(code, reason);
}

// --- WebSocket ---

void Session::ws_write(std::string_view bytes) { send_bytes(bytes, ws_opened_); }

void Session::ws_open(bool deflate) {
  if (phase_ == Phase::over) return;  // writing the handshake's answer failed
  ws_opened_ = true;
  subscription_.deflate = deflate;
  if (refusal_) return refuse(refusal_->code, refusal_->reason);
  if (identity_) go_live();
}

void Session::ws_text(const std::string& text) {
  if (phase_ != Phase::live && phase_ != Phase::waiting) return;
  if (!take_turn()) return;
  const auto request = parse_request(text);
  if (request) return handle(*request);
  send_text(error_reply(request.error()));
}

void Session::ws_binary() {
  if (phase_ == Phase::live || phase_ == Phase::waiting) {
    refuse(CloseCode::bad_request, "binary frames are not understood");
  }
}

void Session::ws_ping(const std::string& payload) {
  if ((phase_ != Phase::live && phase_ != Phase::waiting) || !take_turn()) return;
  auto pong = std::make_shared<Chunk>();
  append_control_frame(pong->bytes, kPongOpcode, payload);
  if (outbox_.empty()) return send(pong);
  outbox_.push_pong(std::move(pong));
}

void Session::ws_closed(std::uint16_t code) {
  log::debug("session closed", {{"session", id_}, {"code", code}});
  if (phase_ == Phase::over) return;
  if (ws_opened_) return finish();
  answer_bad_handshake();
}

bool Session::take_turn() {
  if (requests_.take(std::chrono::steady_clock::now())) return true;
  refuse(CloseCode::too_many, "too many requests");
  return false;
}

SessionStatus Session::status() const {
  SessionStatus status;
  status.id = id_;
  status.address = visitor_->address();
  status.identity = identity_ ? identity_->name : "";
  status.certificate = stream_->certificate_name();
  status.endpoint = endpoint_;
  status.form = subscription_.form;
  status.deflate = subscription_.deflate;
  for (const auto& pattern : all_topics().topics) status.topics.push_back(pattern.text());
  status.since = since_wall_;
  status.sent = sent_;
  status.bytes = bytes_;
  status.queued = outbox_.bytes();
  return status;
}

}  // namespace trestle
