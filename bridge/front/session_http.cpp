#include <algorithm>

#include "bridge/core/door.h"
#include "bridge/front/deflate_offer.h"
#include "bridge/front/origin_door.h"
#include "bridge/front/session.h"
#include "bridge/log/log.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

constexpr std::chrono::seconds kAnswerTime{10};  // for an answer that comes from elsewhere

const EndpointSettings* find_endpoint(const std::vector<EndpointSettings>& endpoints,
                                      const std::string& path) {
  const auto found =
      std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& e) { return e.path == path; });
  return found == endpoints.end() ? nullptr : &*found;
}

}  // namespace

void Session::on_request() {
  if (!knows_visitor()) return;
  const auto& request = reader_->request();
  const auto path = split_target(request.target()).path;
  if (is_upgrade(request)) {
    const auto* endpoint = find_endpoint(info_->endpoints, path);
    if (endpoint == nullptr)
      return answer(http_error(404, "not_found", "no WebSocket endpoint at this path"));
    if (reader_->has_body()) return answer_bad_handshake();  // the library would wait for all of it
    return upgrade(request, *endpoint);
  }
  head_only_ = request.method() == "HEAD";
  const bool reads = head_only_ || request.method() == "GET";
  if (!reads) {
    auto response = http_error(405, "method_not_allowed", "only GET and HEAD are answered here");
    response.extra_headers = "Allow: GET, HEAD\r\n";
    return answer(response);
  }
  if (reader_->has_body() && request.header("Content-Length").empty()) {
    return answer(http_error(411, "length_required", "a body needs a Content-Length"));
  }
  if (path == "/healthz") return answer({200, "text/plain; charset=utf-8", "ok\n", ""});
  if (path == "/readyz") {
    const auto readiness = std::string(shard_.readiness());
    return answer({readiness == "ok" ? 200 : 503, "text/plain; charset=utf-8", readiness + "\n", ""});
  }
  if (path == "/api/status") return answer_status();
  if (path == kEndpointsPath) {
    return answer(endpoint_list(info_->endpoints, shard_.context().authority.enabled()));
  }
  const auto file = page_file(path);
  if (file.status == 404 && find_endpoint(info_->endpoints, path) != nullptr)
    return answer(upgrade_required("this is a WebSocket endpoint: connect to it by ws:// or wss://"));
  answer(file);
}

void Session::refuse_request(int status, std::string_view why) {
  ++shard_.counters().bad_requests;
  if (const auto left_out = shard_.request_lines().take(std::chrono::steady_clock::now())) {
    log::info("request refused", {{"session", id_},
                                  {"address", visitor_->address()},
                                  {"status", status},
                                  {"why", why},
                                  {"left_out", *left_out}});
  }
  answer(
      http_error(status, "bad_request", "this is no HTTP request as Trestle wants it: " + std::string(why)));
}

void Session::answer(const HttpResponse& response) {
  if (phase_ == Phase::over) return;
  const auto& settings = shard_.context().settings;
  const auto bytes = encode(response, head_only_, info_->tls ? settings.tls.hsts : std::chrono::seconds(0));
  set_phase(Phase::answering, settings.session.stall);
  send_bytes(bytes, false);
  if (phase_ == Phase::answering) finish();
}

void Session::answer_bad_handshake() {
  answer(
      http_error(400, "bad_request", "this is not a WebSocket handshake as RFC 6455 section 4.2.1 wants it"));
}

void Session::answer_status() {
  auto& context = shard_.context();
  if (!context.authority.enabled()) return gather_status(context.authority.anonymous());
  const auto query = parse_query(split_target(reader_->request().target()).query);
  auto token = query ? token_of(reader_->request(), *query, context.settings.auth.accept) : std::string();
  if (!token.empty() && !may_try_token()) return wipe(token);
  const auto identity = try_token(token);
  wipe(token);
  if (!identity) {
    auto response = http_error(401, "unauthorized", "a valid token is needed: Authorization: Bearer <token>");
    response.extra_headers = "WWW-Authenticate: Bearer\r\n";
    return answer(response);
  }
  if (!may_pass(Door::status, (*identity)->rights)) {
    return answer(http_error(403, "forbidden", "the token needs the scope read or admin"));
  }
  gather_status(*identity);
}

// Without authentication anybody is the anonymous reader here too; pages of others are kept out as they are
// from a WebSocket.
void Session::gather_status(const IdentityPtr& reader) {
  auto& context = shard_.context();
  const bool without_token = !context.authority.enabled();
  if (without_token && !may_page_ask(reader_->request(), *info_)) {
    ++shard_.counters().bad_origin;
    return answer(
        http_error(403, "forbidden",
                   "without authentication only by an IP address, localhost or a name in listen.origins"));
  }
  set_phase(Phase::gathering, kAnswerTime);
  context.gather_status(reader, [weak = weak_from_this(), &shard = shard_](std::string json) {
    shard.post([weak, json = std::move(json)] {
      if (const auto self = weak.lock()) self->answer({200, "application/json", json, ""});
    });
  });
}

// --- the way to a WebSocket ---

void Session::upgrade(const HttpRequest& request, const EndpointSettings& endpoint) {
  if (request.header("Sec-WebSocket-Version") != "13") {
    return answer(upgrade_required("WebSocket version 13 (RFC 6455) is spoken here"));
  }
  if (!has_websocket_key(request)) return answer_bad_handshake();
  endpoint_ = endpoint.path;
  tell_certificate();
  needs_token_ = endpoint.auth && shard_.context().authority.enabled();
  const auto& settings = shard_.context().settings;
  auto handshake = parse_handshake(request, endpoint, settings.auth.accept, settings.limits.subscriptions);
  if (handshake) {
    subscription_.form = handshake->form;
    wanted_topics_ = std::move(handshake->topics);
    since_ = std::move(handshake->since);
    if (needs_token_ && !may_try_token()) return wipe(handshake->token);
    refusal_ = find_refusal(request, *handshake);
    wipe(handshake->token);
  } else {
    refusal_ = Refusal{CloseCode::bad_request, handshake.error().why};
  }
  if (!visitor_->open()) refusal_ = Refusal{CloseCode::too_many, ""};

  ws_ = shard_.websockets().accept(*this, handshake ? handshake->subprotocol : "");
  set_phase(Phase::waiting, shard_.context().settings.auth.timeout);
  std::optional<DeflateOffer> offer;
  if (shard_.context().settings.compression.enabled) {
    offer = find_deflate_offer(request.header("Sec-WebSocket-Extensions"));
  }
  auto raw = reader_->take_raw();
  settle_extensions(raw, offer);
  reader_.reset();
  ws_->feed(raw);
  wipe(raw);
}

}  // namespace trestle
