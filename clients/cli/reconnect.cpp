#include "clients/cli/reconnect.h"

#include <algorithm>

#include "clients/cli/advice.h"
#include "proto/close_code.h"

namespace trestle::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirst{500};
constexpr milliseconds kLongest{30'000};
constexpr milliseconds kTooMany{5'000};
constexpr int kDoublings = 10;

std::string with_reason(const std::string& text, const std::string& reason) {
  return reason.empty() ? text : text + " (" + reason + ")";
}

constexpr int code_of(CloseCode code) { return static_cast<int>(code); }

std::string cursor_in(const std::string& reason) {
  constexpr std::string_view kName = "cursor=";
  return reason.compare(0, kName.size(), kName) == 0 ? reason.substr(kName.size()) : "";
}

std::string distrusted(const Ended& ended) {
  return "the bridge's certificate is not accepted: " + ended.distrust +
         " (--cacert FILE names certificates to trust instead of the system's)";
}

std::string why(const Ended& ended) {
  if (!ended.distrust.empty()) return distrusted(ended);
  if (!ended.opened && ended.http_status != 0)
    return "the bridge answered HTTP " + std::to_string(ended.http_status);
  if (!ended.error.empty()) return ended.error;
  return with_reason("closed with code " + std::to_string(ended.close_code), ended.reason);
}

}  // namespace

std::optional<Next> Reconnect::final_verdict(const Ended& ended) const {
  const auto give_up = [&](Exit code, const std::string& text) {
    return Next{false, milliseconds(0), code, with_reason(text, ended.reason), ""};
  };
  const auto no_token = [&] {
    auto verdict = give_up(Exit::refused, "no valid token");
    verdict.message.append(": ").append(kTokenAdvice);
    return verdict;
  };
  // A bridge that had a good one gets a good one again; a wrong --cacert or a wrong name stays wrong.
  if (!ended.distrust.empty() && !succeeded_) return give_up(Exit::failed, distrusted(ended));
  if (!ended.opened) {
    // Pages and redirections; a proxy may have one while the bridge is away.
    if (ended.http_status >= 200 && ended.http_status < 400 && !succeeded_)
      return give_up(Exit::usage, "no WebSocket endpoint at this address");
    switch (ended.http_status) {
      case 401: return no_token();
      case 403: return give_up(Exit::refused, "not allowed here");
      case 400:
      case 404:
      case 405:
      case 426: return give_up(Exit::usage, "no WebSocket endpoint at this address");
      default: return std::nullopt;
    }
  }
  switch (ended.close_code) {
    case code_of(CloseCode::unauthorized): return no_token();
    case code_of(CloseCode::forbidden): return give_up(Exit::refused, "the token does not allow this");
    case code_of(CloseCode::token_expired):
      return give_up(Exit::refused, "the token has expired: give a new one");
    case code_of(CloseCode::bad_request):
      return give_up(Exit::usage, "the bridge does not understand the request");
    case code_of(CloseCode::message_too_big): return give_up(Exit::failed, "a message was too big");
    default: return std::nullopt;
  }
}

void Reconnect::drained(milliseconds after, milliseconds spread) {
  const double part = random_();
  drain_ = after + milliseconds(static_cast<std::int64_t>(part * static_cast<double>(spread.count())));
}

milliseconds Reconnect::back_off(milliseconds least) {
  const int doublings = std::min(attempt_++, kDoublings);
  const milliseconds longest = std::min(kFirst * (1 << doublings), kLongest);
  // At least half of it, so that a broken bridge is never hammered.
  const double part = 0.5 + 0.5 * random_();
  return std::max(least,
                  milliseconds(static_cast<std::int64_t>(part * static_cast<double>(longest.count()))));
}

Next Reconnect::after(const Ended& ended) {
  if (auto verdict = final_verdict(ended)) return *verdict;
  Next next;
  next.again = true;
  next.message = why(ended);
  next.cursor = ended.close_code == code_of(CloseCode::too_slow) ? cursor_in(ended.reason) : "";
  const bool too_many = ended.close_code == code_of(CloseCode::too_many) || ended.http_status == 429;
  if (drain_) {
    next.wait = *drain_;
    drain_.reset();
  } else {
    next.wait = back_off(too_many ? kTooMany : milliseconds(0));
  }
  return next;
}

}  // namespace trestle::cli
