#include <algorithm>

#include "bridge/core/redact.h"
#include "bridge/front/session.h"
#include "proto/json_text.h"

namespace trestle {
namespace {

constexpr Micros kLastTime = Micros{kIntegerLimit} - 1;

}  // namespace

void Session::authenticate(const Request& request) {
  const auto& context = shard_.context();
  if (context.authority.enabled()) {
    if (!accepts(context.settings.auth.accept, TokenWay::message)) {
      return fail(request.id, "unauthorized", "tokens in messages are not accepted here (auth.accept)");
    }
    const auto wait = visitor_->wait(std::chrono::steady_clock::now());
    if (wait.count() > 0) {
      ++shard_.counters().backed_off;
      if (phase_ == Phase::waiting) return refuse(CloseCode::too_many, {});
      return fail(request.id, "too_many", "too many unknown tokens came from this address, come back later");
    }
    auto identity = try_token(request.token);
    if (!identity) {
      const auto code = close_code_of(identity.error());
      if (phase_ == Phase::waiting) return refuse(code, {});
      return fail(request.id, "unauthorized",
                  code == CloseCode::token_expired ? "this token has expired" : "this token is not known");
    }
    identity_ = *identity;
  }
  std::string members = "\"name\":";
  append_json_string(members, identity_->name);
  if (identity_->expires) {
    // Later than any time that clients can hold exactly (the year 2255): the last that they can.
    members += ",\"expires\":" + std::to_string(std::min(*identity_->expires, kLastTime));
  }
  send_text(reply("authenticated", request.id, members));
  if (phase_ == Phase::waiting) return go_live();
  if (phase_ == Phase::live) apply_rights();
}

// False once the session has been closed: its token was revoked, or expired a while ago and no other came. A
// token whose scopes were changed goes on with the new ones.
bool Session::token_holds(Micros now) {
  const auto& context = shard_.context();
  if (const auto generation = context.authority.generation(); generation != looked_up_in_) {
    looked_up_in_ = generation;
    const auto renewed = context.authority.renew(identity_);
    if (!renewed) {
      outbox_.drop_unwritten();  // what waits is not for them any more
      refuse(close_code_of(renewed.error()), "the token was revoked");
      return false;
    }
    if (*renewed != identity_) renew(*renewed);
    if (phase_ != Phase::live) return false;
  }
  const Micros grace =
      std::chrono::duration_cast<std::chrono::microseconds>(context.settings.auth.grace).count();
  if (!identity_->expires || *identity_->expires + grace > now) return true;
  close(CloseCode::token_expired);
  return false;
}

// Somebody has taken away from this token, or given it more. Who presents another token by itself has a right
// to what waits behind the one before, and sees in the reply where the other begins.
void Session::renew(IdentityPtr identity) {
  const auto hidden = subscription_.hidden;
  identity_ = std::move(identity);
  const bool narrower = !forbidden_topics().empty();
  apply_rights();
  const auto hidden_now = subscription_.hidden & ~hidden;
  if (phase_ == Phase::live && (narrower || hidden_now != 0)) withdraw(hidden_now);
}

// What waits was encoded for the rights of before. What may not be read is left out. Of what has to be seen
// with less in it, and of what nobody can tell, the stream has it as it is to be seen now: the client comes
// back for that, with its cursor.
void Session::withdraw(Hidden hidden_now) {
  outbox_.withdraw([this](const Event& event) {
    return !may_pass(Door::renew, identity_->rights, std::string_view(event.topic));
  });
  const bool shows = outbox_.holds([&](const Event& event) { return is_redacted(event, hidden_now); });
  if (shows || outbox_.holds_replayed()) too_slow();
}

// A pattern passes two doors: the one where it is asked for, and the one that what is kept comes through.
bool Session::may_hold(Door asked_at, const Pattern& pattern, bool since) const {
  const auto& rights = identity_->rights;
  return may_pass(asked_at, rights, pattern) &&
         may_pass(since ? Door::replay : Door::snapshot, rights, pattern);
}

// The identity of now may read and see less, or more, than the one before. What it may not read is given up
// at once, and nothing else: the rest goes on from where it is, replays too. Somebody who never named topics
// gets whatever is readable now; what that is more begins like a new subscription.
void Session::apply_rights() {
  subscription_.hidden = shard_.context().policies.hidden_from(identity_->rights);
  for (auto& replay : replays_) replay.hide(subscription_.hidden);
  if (default_topics_) return follow_rights();
  give_up(forbidden_topics());  // regroups in any case
}

// What it holds, and may not read all of.
std::vector<Pattern> Session::forbidden_topics() const {
  std::vector<Pattern> forbidden;
  for (const auto& pattern : all_topics().topics) {
    if (!may_pass(Door::renew, identity_->rights, pattern)) forbidden.push_back(pattern);
  }
  return forbidden;
}

void Session::follow_rights() {
  auto wanted = all_topics();
  wanted.topics.clear();
  for (const auto& pattern : identity_->rights.readable()) {
    if (may_hold(Door::renew, pattern, false)) wanted.add(pattern);
  }
  auto left = subscription_;
  left.narrow(wanted.topics);
  for (auto& replay : replays_) replay.narrow(wanted.topics);
  hold(std::move(left));
  if (wanted.topics == all_topics().topics) return;
  if (replays_.size() >= kMaxReplays) return refuse(CloseCode::too_many, "too many changes of its token");
  take(shard_.shelf().widen(std::move(wanted), all_topics(), {}));
}

}  // namespace trestle
