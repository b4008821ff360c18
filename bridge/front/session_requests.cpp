#include <algorithm>

#include "bridge/core/clock.h"
#include "bridge/core/door.h"
#include "bridge/front/session.h"
#include "proto/frame.h"
#include "proto/json_text.h"
#include "proto/notice.h"

namespace trestle {
namespace {

constexpr std::size_t kPullBytes = 64 * 1024;  // and half of the queue at most: the rest is for replies

std::string member(std::string_view name, std::string_view text) {
  std::string out = "\"";
  out.append(name).append("\":");
  append_json_string(out, text);
  return out;
}

std::string member(std::string_view name, std::uint64_t number) {
  return "\"" + std::string(name) + "\":" + std::to_string(number);
}

}  // namespace

void Session::go_live() {
  if (phase_ == Phase::over) return;
  std::optional<Cursor> since;
  if (since_) {
    since = parse_cursor(*since_);
    if (!since) return refuse(CloseCode::bad_request, "since must be <epoch>:<offset>, or 0");
    shard_.reach(*since);
  }
  default_topics_ = !wanted_topics_;
  subscription_.hidden = shard_.context().policies.hidden_from(identity_->rights);
  for (const auto& pattern : default_topics_ ? identity_->rights.readable() : *wanted_topics_) {
    if (!may_hold(Door::connect, pattern, since.has_value()))
      return refuse(CloseCode::forbidden, "the token may not read all of the topics");
    subscription_.add(pattern);
  }
  wanted_topics_.reset();
  phase_ = Phase::live;
  send_notice(welcome_notice(shard_.shelf().epoch(), shard_.shelf().head(), id_,
                             shard_.context().settings.heartbeat.interval));
  take(shard_.shelf().connect(subscription_, since));
}

// What a session that just connected needs before it is live; the same for patterns that come in-band, while
// what the session held before goes on.
void Session::take(Shelf::Way way) {
  if (way.resume) outbox_.start_at(*way.resume);
  if (way.gap) send_notice(gap_notice(*way.gap));
  replays_.push_back(std::move(way.replay));
  want_pull();
}

bool Session::has_to_pull() const { return !replays_.empty() && outbox_.empty() && phase_ == Phase::live; }

void Session::want_pull() {
  if (waiting_pull_ || !has_to_pull()) return;
  // Who comes alone and has little to catch up with is live before any batch comes; in a crowd all take
  // turns.
  if (shard_.nobody_pulls() && !pull()) return;
  waiting_pull_ = true;
  shard_.pull_later(shared_from_this());
}

bool Session::pull() {
  waiting_pull_ = false;
  if (!has_to_pull()) return false;
  const auto& shelf = shard_.shelf();
  auto piece = shelf.next(replays_.front(), std::min(kPullBytes, queue_limit() / 2));
  if (piece.lost_after) send_notice(gap_notice(shelf.gap_after({shelf.epoch(), *piece.lost_after})));
  tell_missed(piece);
  if (piece.chunk) {
    sent_ += piece.chunk->marks.size();
    send(piece.chunk);
  }
  if (piece.done && phase_ == Phase::live) end_replay();
  waiting_pull_ = has_to_pull();
  return waiting_pull_;
}

// Nothing kept lies ahead, and no batch can come in between: joining now neither loses nor doubles anything.
void Session::end_replay() {
  const auto replay = std::move(replays_.front());
  replays_.pop_front();
  replayed_up_to_ = std::max(replayed_up_to_, std::min(replay.marked_up_to(), shard_.shelf().head()));
  told_up_to_ = std::max(told_up_to_, replay.told());
  regroup(replay.wanted());
  const auto caught_up = std::exchange(unread_, nullptr);
  if (!caught_up) return send_live();
  // Nobody asked for the catch-up: a `live` of its own would be taken for that of a replay.
  for (auto owed = caught_up->lives; owed > 0; --owed) send_live();
  if (replays_.empty()) send_cursor();
}

const Subscription& Session::all_topics() const {
  return replays_.empty() ? subscription_ : replays_.back().wanted();
}

void Session::send_live() {
  if (has_meta()) send_marked(live_notice(shard_.shelf().epoch(), shard_.shelf().head()), true);
  last_event_ = std::chrono::steady_clock::now();
}

void Session::send_cursor() {
  send_marked(cursor_notice(shard_.shelf().epoch(), shard_.shelf().head()), false);
}

void Session::announce_epoch() {
  if (phase_ == Phase::live) send_notice(gap_notice(shard_.shelf().new_epoch_gap()));
}

void Session::handle(const Request& request) {
  using Kind = Request::Kind;
  const bool needs_identity = request.kind != Kind::auth && request.kind != Kind::ping;
  if (phase_ == Phase::waiting && needs_identity) {
    return fail(request.id, "unauthorized", "send {\"type\":\"auth\",\"token\":…} first");
  }
  switch (request.kind) {
    case Kind::subscribe: return subscribe(request);
    case Kind::unsubscribe: return unsubscribe(request);
    case Kind::auth: had_token_ = true; return authenticate(request);
    case Kind::ping:
      return send_text(
          reply("pong", request.id, member("time", static_cast<std::uint64_t>(read_clock().wall))));
    case Kind::status: return report(request);
    case Kind::command: return fail(request.id, "unsupported", "this bridge does not take commands yet");
  }
}

void Session::subscribe(const Request& request) {
  std::optional<Cursor> since;
  if (request.since) {
    since = parse_cursor(*request.since);
    if (!since) return fail(request.id, "bad_request", "since must be <epoch>:<offset>, or 0");
    shard_.reach(*since);
    if (phase_ == Phase::over) return;  // it could not take what is live
  }
  auto wanted = all_topics();
  for (const auto& pattern : request.topics) {
    if (!may_hold(Door::subscribe, pattern, since.has_value())) {
      return fail(request.id, "forbidden", "the token may not read all of " + pattern.text());
    }
    wanted.add(pattern);
  }
  const auto most = shard_.context().settings.limits.subscriptions;
  if (wanted.topics.size() > most || replays_.size() >= kMaxReplays) {
    return fail(request.id, "too_many",
                "at most " + std::to_string(most) + " patterns a session, and " +
                    std::to_string(kMaxReplays) + " replays at a time");
  }
  default_topics_ = false;
  send_text(reply("subscribed", request.id, topics_json(wanted)));
  const bool nothing_new = wanted.topics == all_topics().topics;
  if (nothing_new && replays_.empty()) return send_live();
  // `live` moves the cursor, so it waits for the replays that still go on.
  take(shard_.shelf().widen(std::move(wanted), all_topics(), nothing_new ? std::nullopt : since));
}

void Session::unsubscribe(const Request& request) {
  auto wanted = all_topics();
  for (const auto& pattern : request.topics) {
    if (!wanted.remove(pattern)) {
      return fail(request.id, "not_subscribed", "no pattern of this session is exactly " + pattern.text());
    }
  }
  default_topics_ = false;
  send_text(reply("unsubscribed", request.id, topics_json(wanted)));
  give_up(request.topics);
}

void Session::give_up(const std::vector<Pattern>& patterns) {
  auto left = subscription_;
  for (const auto& pattern : patterns) {
    left.remove(pattern);
    for (auto& replay : replays_) replay.remove(pattern);
  }
  hold(std::move(left));
}

// Who is in no group yet gets it from the first replay.
void Session::hold(Subscription left) {
  if (group_ != nullptr) {
    regroup(std::move(left));
  } else {
    subscription_ = std::move(left);
  }
}

void Session::regroup(Subscription wanted) {
  if (phase_ != Phase::live) return;
  if (group_ != nullptr) shard_.groups().leave(*group_, this);
  subscription_ = std::move(wanted);
  group_ = &shard_.groups().join(subscription_, this);
}

void Session::report(const Request& request) {
  if (!may_pass(Door::session, identity_->rights)) {
    return fail(request.id, "forbidden", "the token may not ask for the session's status");
  }
  auto members = member("session", id_) + "," + member("identity", identity_->name) + "," +
                 member("epoch", shard_.shelf().epoch()) + "," + member("offset", shard_.shelf().head()) +
                 "," + member("queued", outbox_.bytes()) + "," + member("sent", sent_) + "," +
                 topics_json(all_topics());
  send_text(reply("status", request.id, members));
}

std::string Session::topics_json(const Subscription& subscription) {
  std::string out = "\"topics\":[";
  for (const auto& pattern : subscription.topics) {
    if (out.back() != '[') out += ',';
    append_json_string(out, pattern.text());
  }
  return out + "]";
}

std::shared_ptr<Chunk> Session::text_chunk(std::string_view text) {
  auto chunk = std::make_shared<Chunk>();
  append_text_frame_header(chunk->bytes, text.size());
  chunk->bytes += text;
  return chunk;
}

void Session::send_text(std::string_view text) { send_frame(text_chunk(text)); }

// A notice that moves the cursor to the head.
void Session::send_marked(std::string_view text, bool live) {
  auto chunk = text_chunk(text);
  chunk->marks.push_back({shard_.shelf().head(), 0, chunk->bytes.size(), nullptr});
  chunk->live = live;
  send_frame(chunk);
}

void Session::send_frame(const ChunkPtr& chunk) {
  if (phase_ != Phase::live && phase_ != Phase::waiting) return;
  send(chunk);
  if (is_over_limit()) make_room();
}

void Session::send_notice(std::string_view text) {
  if (has_meta()) send_text(text);
}

void Session::fail(const std::string& id, std::string_view code, std::string message) {
  send_text(error_reply({id, std::string(code), std::move(message)}));
}

}  // namespace trestle
