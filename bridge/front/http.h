#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/config/settings.h"

namespace trestle {

/// An answer; every one closes its connection.
struct HttpResponse {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
  std::string extra_headers;  ///< whole lines, each with its \r\n
};

/// The bytes of the answer with the headers every answer carries (no sniffing, no framing, no referrer, no
/// storing of what is not the page). `head_only` leaves the body out, as HEAD wants it. `hsts`: over TLS, see
/// TlsSettings; 0 on plain connections, where browsers must not heed it (RFC 6797 section 7.2).
std::string encode(const HttpResponse& response, bool head_only, std::chrono::seconds hsts);

/// {"success":false,"data":{"type":"error","code":…,"message":…}}
HttpResponse http_error(int status, std::string_view code, std::string_view message);

/// 426: only a WebSocket, of the one version that we know, gets further here (RFC 9110 section 15.5.22).
HttpResponse upgrade_required(std::string_view message);

/// 429 or 503: nothing is looked at now, come back after this long. The body does not say more.
/// For busy(), where nobody knows when there will be room.
constexpr std::chrono::seconds kComeBackLater{10};
HttpResponse busy(int status, std::chrono::milliseconds come_back_after);

/// A file of the page; 404 if there is none. `/` is /index.html.
HttpResponse page_file(std::string_view path);

/// The file that only the listener knows: where the page finds its WebSocket endpoints, and which of them
/// want a token. {"endpoints":[{"path":"/","token":true},...]}
constexpr std::string_view kEndpointsPath = "/endpoints.json";
HttpResponse endpoint_list(const std::vector<EndpointSettings>& endpoints, bool authority_enabled);

}  // namespace trestle
