#include "bridge/front/shard.h"

#include <pthread.h>

#include <algorithm>
#include <asio/post.hpp>
#include <system_error>

#include "bridge/core/clock.h"
#include "bridge/front/byte_stream.h"
#include "bridge/front/session.h"
#include "bridge/wake_fd.h"

namespace trestle {
namespace {

// Often enough for the shortest time that anybody set, and never busier than needed.
std::chrono::milliseconds tick_period(const Settings& settings) {
  const auto shortest = std::min({settings.heartbeat.interval, settings.heartbeat.timeout,
                                  settings.session.stall, settings.auth.timeout, settings.limits.handshake});
  return std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(250));
}

}  // namespace

Shard::Shard(std::size_t index, FrontContext& context)
    : index_(index),
      context_(context),
      tick_every_(tick_period(context.settings)),
      websockets_(context.settings.limits.message),
      groups_(context.settings.compression.min_size),
      shelf_(context.policies),
      pressure_(context.policies, {context.settings.ingest.max_event, EventLimits{}.max_depth}) {
  wake_.assign(new_wake_fd());
}

Shard::~Shard() { stop(); }

void Shard::start() {
  wait_for_batches();
  wait_for_tick();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), ("shard-" + std::to_string(index_)).c_str());
    io_.run();
  });
}

void Shard::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
  for (const auto& [raw, session] : sessions_) session->release();
  pulling_.clear();
  sessions_.clear();
}

void Shard::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

void Shard::adopt(asio::ip::tcp::socket socket, std::unique_ptr<ByteStream> stream,
                  std::shared_ptr<const ListenerInfo> info, std::unique_ptr<Visitor> visitor) {
  asio::post(io_, [this, socket = std::move(socket), stream = std::move(stream), info = std::move(info),
                   visitor = std::move(visitor)]() mutable {
    auto id = std::to_string(index_) + "-" + std::to_string(next_session_++);
    auto session = std::make_shared<Session>(*this, std::move(id), std::move(socket), std::move(stream),
                                             std::move(info), std::move(visitor));
    ++counters_.accepted;
    sessions_.emplace(session.get(), session);
    ++session_count_;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    live_first();
    session->start();
  });
}

void Shard::push(const BatchPtr& batch) {
  auto copy = batch;
  newest_ = batch->head;
  [[maybe_unused]] const bool has_room = inbox_.push(std::move(copy));  // asked before anything was taken in
}

// The spine's half of the hand-over. The fences pair with those in nothing_left() and adopt(): either the
// spine sees that the shard sleeps, or has somebody to deliver to, or the shard sees the batch.
void Shard::notify() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (session_count_ == 0 && inbox_.has_room_for(kInboxBatches - kInboxBatches / 8))
    return;  // the next tick will do
  if (!sleeping_.exchange(false)) return;
  wake(wake_.native_handle());
}

void Shard::wait_for_batches() {
  wake_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const std::error_code& error) {
    if (error) return;
    clear_wake(wake_.native_handle());
    sleeping_.store(false);
    take_batches();
  });
}

// Batches wait: they are applied now, or when what closely follows them has come too.
void Shard::take_batches() {
  if (inbox_.empty() || !is_pausing()) return apply_batches();
  pause_.expires_at(pause_until_);
  pause_.async_wait([this](const std::error_code& error) {
    if (!error) apply_batches();
  });
}

void Shard::apply_batches() {
  const bool behind = apply_some();
  reap();
  if (!behind && nothing_left()) return wait_for_batches();
  asio::post(io_, [this] { take_batches(); });
}

// True if the turn ended before the batches.
bool Shard::apply_some() {
  const auto end = Clock::now() + kTurn;
  return apply_until([end] { return Clock::now() > end; });
}

// Batches that wait for a shard that is behind are delivered as one: one write for each session, so that it
// catches up, where a write for each batch would leave it behind. True if enough() ended it, asked after each
// batch.
template <class Enough>
bool Shard::apply_until(Enough enough) {
  const auto begin = Clock::now();
  const auto before = groups_.hand_overs();
  bool behind = false;
  BatchPtr batch;
  while (!behind && inbox_.pop(batch)) {
    if (!shelf_.is_in(batch->epoch)) {
      groups_.hand_out();
    } else if (groups_.has_waiting()) {
      ++counters_.coalesced;
    }
    keep(*batch);
    groups_.add(*batch, shelf_.epoch());
    behind = enough();
  }
  groups_.hand_out();
  if (!behind) coalesce(begin, groups_.hand_overs() - before);
  return behind;
}

// The last of many clients gets an event when the delivery is through. What comes within a few times as long
// is delivered together: no client notices, and a delivery of two costs hardly more than one of one. So
// deliveries take at most a quarter of the shard's time as long as coalesce allows it. What comes alone, or
// goes to few, never waits. No timer runs until something has come.
void Shard::coalesce(Clock::time_point begin, std::uint64_t sessions) {
  if (sessions < kCrowd) return;
  const auto took = Clock::now() - begin;
  pause_until_ =
      begin + std::min<Clock::duration>(kTurnPerDelivery * took, context_.settings.session.coalesce);
}

bool Shard::is_pausing() const { return pause_until_ - Clock::now() >= kShortestPause; }

// The wake-up that was meant for these batches comes all the same, and finds nothing.
void Shard::live_first() { apply_some(); }

void Shard::live_soon() {
  if (!is_pausing()) apply_some();
}

void Shard::reach(const Cursor& cursor) {
  if (shelf_.knows(cursor) || !may_wait(cursor)) return;
  // No more than could wait when it was asked for.
  apply_until(
      [this, &cursor, left = kInboxBatches]() mutable { return --left == 0 || shelf_.knows(cursor); });
}

// Nobody makes this shard work with a cursor of the past, or with an offset that nobody was given.
bool Shard::may_wait(const Cursor& cursor) const {
  if (cursor.epoch == shelf_.epoch()) return cursor.offset <= newest_;
  return is_later_epoch(cursor.epoch, shelf_.epoch());
}

void Shard::pull_later(std::shared_ptr<Session> session) {
  if (pulling_.empty()) asio::post(io_, [this] { pull_some(); });
  pulling_.push_back(std::move(session));
}

// Whoever waits for this core gets it between two pieces: where a storm of replays takes every core, that is
// the spine, or a producer, or a client with what is live, and the kernel lets them wait for milliseconds
// otherwise.
void Shard::pull_some() {
  for (std::size_t i = 0; i < kPullsPerTurn && !pulling_.empty(); ++i) {
    live_soon();
    auto session = std::move(pulling_.front());
    if (session->pull()) pulling_.push_back(std::move(session));
    pulling_.pop_front();
    if (!pulling_.empty()) std::this_thread::yield();
  }
  if (!pulling_.empty()) asio::post(io_, [this] { pull_some(); });
}

void Shard::keep(const Batch& batch) {
  if (!shelf_.is_in(batch.epoch)) {
    shelf_.enter(batch.epoch);
    for (const auto& [raw, session] : sessions_) session->announce_epoch();
  }
  shelf_.keep(batch);
}

// Nobody is there yet to deliver it to.
void Shard::load(const Batch& kept, const Past& past) { shelf_.load(kept, past, read_clock().wall); }

bool Shard::nothing_left() {
  sleeping_.store(true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (inbox_.empty()) return true;
  // Somebody pushed in between. If sleeping_ is false again an eventfd write is on its way, and costs one
  // idle wake-up.
  sleeping_.store(false);
  return false;
}

void Shard::retire(Session& session) {
  if (retired_.empty()) asio::post(io_, [this] { reap(); });
  retired_.push_back(&session);
}

void Shard::reap() {
  for (auto* session : std::exchange(retired_, {})) {
    session->release();
    sessions_.erase(session);
    --session_count_;
  }
}

void Shard::wait_for_tick() {
  ticker_.expires_after(tick_every_);
  ticker_.async_wait([this](const std::error_code& error) {
    if (error) return;
    tick(read_clock());
    wait_for_tick();
  });
}

void Shard::tick(Now now) {
  live_soon();
  shelf_.expire(now.wall);
  delivery_rate_.add(groups_.deliveries() - metered_deliveries_, now.steady);
  byte_rate_.add(bytes_out_ - metered_bytes_, now.steady);
  metered_deliveries_ = groups_.deliveries();
  metered_bytes_ = bytes_out_;
  for (const auto& [raw, session] : sessions_) session->tick(now);
  reap();
}

void Shard::drain(std::chrono::milliseconds after, std::chrono::milliseconds spread) {
  draining_ = true;
  for (const auto& [raw, session] : sessions_) session->announce_drain(after, spread);
  auto timer = std::make_shared<asio::steady_timer>(io_, after);
  timer->async_wait([this, timer](const std::error_code&) {
    for (const auto& [raw, session] : sessions_) session->close(CloseCode::going_away);
  });
}

ShardStatus Shard::status() {
  live_first();
  ShardStatus status;
  for (const auto& [raw, session] : sessions_) {
    if (session->is_websocket()) status.sessions.push_back(session->status());
  }
  for (const auto& [offset, event] : shelf_.snapshot().events())
    status.topics.push_back({event->topic, offset, event->time});
  const auto now = read_clock();
  status.connections = sessions_.size();
  status.counters = counters_;
  status.pressure = pressure_.report();
  status.deliveries = groups_.deliveries();
  status.deflated = groups_.deflated();
  status.deflate_saved = groups_.deflate_saved();
  status.bytes_out = bytes_out_;
  status.deliveries_per_second = delivery_rate_.per_second(now.steady);
  status.bytes_per_second = byte_rate_.per_second(now.steady);
  return status;
}

}  // namespace trestle
