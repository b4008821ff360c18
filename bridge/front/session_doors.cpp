#include <sys/socket.h>

#include <cerrno>

#include "bridge/core/clock.h"
#include "bridge/front/origin_door.h"
#include "bridge/front/session.h"
#include "bridge/log/log.h"

namespace trestle {

CloseCode close_code_of(AuthFailure failure) {
  return failure == AuthFailure::expired ? CloseCode::token_expired : CloseCode::unauthorized;
}

// True once the PROXY header is whole. It comes before TLS too, so it is read from the socket itself, and
// nothing of what follows it.
bool Session::has_proxy_header() {
  auto& buffer = shard_.read_buffer();
  while (true) {
    const auto wants = std::min(proxy_header_->wants(), buffer.size());
    const auto got = ::recv(socket_.native_handle(), buffer.data(), wants, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      wait_readable();
      return false;
    }
    const auto state = got > 0 ? proxy_header_->feed({buffer.data(), static_cast<std::size_t>(got)})
                               : ProxyHeader::State::bad;
    if (state == ProxyHeader::State::more) continue;
    const auto& source = proxy_header_->source();
    const bool welcome = state == ProxyHeader::State::done &&
                         (!source || visitor_->comes_from(*source) == Admission::Answer::welcome);
    proxy_header_.reset();
    if (welcome) return true;
    ++shard_.counters().turned_away;
    end();
    return false;
  }
}

// False if the answer is 429: behind a proxy it takes the request to know whom the connection is from.
bool Session::knows_visitor() {
  const auto arrived = visitor_->forwarded(reader_->request().header("X-Forwarded-For"));
  if (arrived == Admission::Answer::welcome) return true;
  ++shard_.counters().turned_away;
  answer(busy(429, kComeBackLater));
  return false;
}

// False if the answer is 429: too many tokens of this address were unknown, so this one is not looked at.
bool Session::may_try_token() {
  const auto wait = visitor_->wait(std::chrono::steady_clock::now());
  if (wait.count() == 0) return true;
  ++shard_.counters().backed_off;
  answer(busy(429, wait));
  return false;
}

// The way of every token: what it is worth, and what that means for the address it came from. No token at all
// is no guess; one that has expired was known once.
Result<IdentityPtr, AuthFailure> Session::try_token(std::string_view token) {
  const auto& authority = shard_.context().authority;
  const auto generation = authority.generation();
  auto identity = authority.authenticate(token, read_clock().wall);
  if (identity) {
    looked_up_in_ = generation;  // not for a failure: the identity that is held still has to be looked up
    visitor_->token_was_good();
  }
  if (identity || token.empty()) return identity;
  token_was_refused(identity.error());
  return identity;
}

// What was genuine tells the operator something, if not each time that a client offers it again.
void Session::token_was_refused(AuthFailure failure) {
  const auto now = std::chrono::steady_clock::now();
  const auto& address = visitor_->address();
  const auto why = reason_of(failure);
  if (!is_guess(failure)) {
    if (const auto left_out = shard_.token_lines().take(now)) {
      log::info("token refused",
                {{"session", id_}, {"address", address}, {"why", why}, {"left_out", *left_out}});
    }
    return;
  }
  ++shard_.counters().auth_failed;
  log::debug("token refused", {{"session", id_}, {"address", address}, {"why", why}});
  const auto wait = visitor_->token_was_unknown(now);
  if (wait.count() == 0) return;
  if (const auto left_out = shard_.back_off_lines().take(now)) {
    log::warning("too many unknown tokens from one address, it has to wait",
                 {{"address", address}, {"wait_ms", wait.count()}, {"left_out", *left_out}});
  }
}

// A certificate is no token: whoever has one can come again and again.
void Session::tell_certificate() {
  const auto name = stream_->certificate_name();
  if (name.empty()) return;
  if (const auto left_out = shard_.certificate_lines().take(std::chrono::steady_clock::now())) {
    log::info(
        "client certificate",
        {{"session", id_}, {"address", visitor_->address()}, {"certificate", name}, {"left_out", *left_out}});
  }
}

// Finds out who this is, as far as the handshake tells, and whether the session may go on. A token that
// nobody asked for is not looked at: it may be a stale one that the client shows everywhere, which is no
// guess, and trying it without counting would let guesses be tried.
std::optional<Session::Refusal> Session::find_refusal(const HttpRequest& request,
                                                      const Handshake& handshake) {
  if (!needs_token_) {
    identity_ = shard_.context().authority.anonymous();
  } else if (!handshake.token.empty()) {
    auto identity = try_token(handshake.token);
    if (!identity) return Refusal{close_code_of(identity.error()), ""};
    identity_ = *identity;
  }
  const bool may_still_come = identity_ || accepts(shard_.context().settings.auth.accept, TokenWay::message);
  if (!may_still_come) return Refusal{CloseCode::unauthorized, ""};
  if (may_page_connect(request, *info_, !needs_token_)) return std::nullopt;
  ++shard_.counters().bad_origin;
  if (const auto left_out = shard_.page_lines().take(std::chrono::steady_clock::now())) {
    log::info("a web page may not connect: if it should, put its origin into listen.origins",
              {{"session", id_},
               {"origin", log::excerpt(request.header("Origin"))},
               {"host", log::excerpt(request.header("Host"))},
               {"left_out", *left_out}});
  }
  return Refusal{CloseCode::forbidden, "this page may not connect (listen.origins)"};
}

}  // namespace trestle
