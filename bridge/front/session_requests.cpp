#include "bridge/core/clock.h"
#include "bridge/front/session.h"
#include "proto/frame.h"
#include "proto/json_text.h"
#include "proto/notice.h"

namespace trestle {
namespace {

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

// Joining is exact because it happens between two batches: what the snapshot holds was applied before, what
// comes after goes through the group.
void Session::go_live() {
  std::optional<Cursor> since;
  if (since_) {
    since = parse_cursor(*since_);
    if (!since) return refuse(CloseCode::bad_request, "since must be <epoch>:<offset>, or 0");
  }
  default_topics_ = !wanted_topics_;
  for (const auto& pattern : default_topics_ ? identity_->rights.readable() : *wanted_topics_) {
    if (!identity_->rights.may_read_all(pattern))
      return refuse(CloseCode::forbidden, "the token may not read all of the topics");
    subscription_.add(pattern);
  }
  wanted_topics_.reset();
  phase_ = Phase::live;
  const auto& context = shard_.context();
  send_notice(welcome_notice(context.epoch, shard_.head(), id_, context.settings.heartbeat.interval));
  group_ = &shard_.groups().join(subscription_, this);
  catch_up(since, nullptr);
}

// What a session needs to be up to date; the patterns it held before are up to date already. The stream keeps
// no log yet, so a cursor that is not the newest meets a gap and gets the snapshot.
void Session::catch_up(const std::optional<Cursor>& since, const Subscription* held) {
  const auto& epoch = shard_.context().epoch;
  const auto head = shard_.head();
  const bool current = since && since->epoch == epoch && since->offset == head;
  if (since && !since->epoch.empty() && !current) {
    Gap gap;
    gap.reason = since->epoch == epoch && since->offset < head ? GapReason::trimmed : GapReason::epoch;
    gap.epoch = epoch;
    gap.offset = head;
    if (gap.reason == GapReason::trimmed) {
      gap.from = since->offset + 1;
      gap.to = head;
    }
    send_notice(gap_notice(gap));
  }
  if (!current) {
    auto chunk = held == nullptr ? shard_.groups().encode_snapshot(*group_, shard_.snapshot(), head)
                                 : Groups::encode_snapshot(subscription_, *held, shard_.snapshot());
    if (chunk) {
      allowance_ += chunk->bytes.size();
      send(std::move(chunk));
    }
  }
  send_notice(live_notice(epoch, head));
  last_event_ = std::chrono::steady_clock::now();
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
    case Kind::auth: return authenticate(request);
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
  }
  auto wanted = subscription_;
  for (const auto& pattern : request.topics) {
    if (!identity_->rights.may_read_all(pattern)) {
      return fail(request.id, "forbidden", "the token may not read all of " + pattern.text());
    }
    wanted.add(pattern);
  }
  if (wanted.topics.size() > kMaxPatterns) {
    return fail(request.id, "too_many", "at most " + std::to_string(kMaxPatterns) + " patterns a session");
  }
  default_topics_ = false;
  send_text(reply("subscribed", request.id, topics_json(wanted)));
  if (wanted.topics == subscription_.topics)
    return send_notice(live_notice(shard_.context().epoch, shard_.head()));
  change_subscription(std::move(wanted), since);
}

void Session::unsubscribe(const Request& request) {
  auto wanted = subscription_;
  for (const auto& pattern : request.topics) {
    if (!wanted.remove(pattern)) {
      return fail(request.id, "not_subscribed", "no pattern of this session is exactly " + pattern.text());
    }
  }
  default_topics_ = false;
  send_text(reply("unsubscribed", request.id, topics_json(wanted)));
  regroup(std::move(wanted));
}

void Session::authenticate(const Request& request) {
  const auto& authority = shard_.context().authority;
  if (authority.enabled()) {
    auto identity = authority.authenticate(request.token, read_clock().wall);
    if (!identity) {
      const bool expired = identity.error() == AuthFailure::expired;
      if (phase_ == Phase::waiting)
        return refuse(expired ? CloseCode::token_expired : CloseCode::unauthorized, {});
      return fail(request.id, "unauthorized", expired ? "this token has expired" : "this token is not known");
    }
    identity_ = *identity;
  }
  std::string members = member("name", identity_->name);
  if (identity_->expires) members += "," + member("expires", static_cast<std::uint64_t>(*identity_->expires));
  send_text(reply("authenticated", request.id, members));
  if (phase_ == Phase::waiting) return go_live();
  if (phase_ == Phase::live) change_subscription(allowed_subscription(), std::nullopt);
}

// What is left of the subscription under the identity of now.
Subscription Session::allowed_subscription() const {
  Subscription allowed;
  allowed.form = subscription_.form;
  for (const auto& pattern : default_topics_ ? identity_->rights.readable() : subscription_.topics) {
    if (identity_->rights.may_read_all(pattern)) allowed.add(pattern);
  }
  return allowed;
}

void Session::change_subscription(Subscription wanted, const std::optional<Cursor>& since) {
  if (wanted.topics == subscription_.topics) return;
  const auto held = subscription_;
  regroup(std::move(wanted));
  if (phase_ == Phase::live) catch_up(since, &held);
}

void Session::regroup(Subscription wanted) {
  if (phase_ != Phase::live) return;
  shard_.groups().leave(*group_, this);
  subscription_ = std::move(wanted);
  group_ = &shard_.groups().join(subscription_, this);
}

void Session::report(const Request& request) {
  auto members = member("session", id_) + "," + member("identity", identity_->name) + "," +
                 member("epoch", shard_.context().epoch) + "," + member("offset", shard_.head()) + "," +
                 member("queued", outbox_.bytes()) + "," + member("sent", sent_) + "," +
                 topics_json(subscription_);
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

void Session::send_text(std::string_view text) {
  if (phase_ != Phase::live && phase_ != Phase::waiting) return;
  std::string frame;
  append_text_frame_header(frame, text.size());
  frame += text;
  if (over_queue(frame.size())) return too_slow();
  send_bytes(frame, true);
}

void Session::send_notice(std::string_view text) {
  if (has_meta()) send_text(text);
}

void Session::fail(const std::string& id, std::string_view code, std::string message) {
  send_text(error_reply({id, std::string(code), std::move(message)}));
}

}  // namespace trestle
