#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/config/settings.h"
#include "bridge/front/http_reader.h"
#include "proto/close_code.h"
#include "proto/pattern.h"

namespace trestle {

/// What a client asks for when it connects (wire B): the query parameters, decoded once, and the
/// subprotocols.
struct Handshake {
  std::string token;                           ///< wipe it once used; empty: none given in a way that counts
  std::optional<std::vector<Pattern>> topics;  ///< absent: everything the token may read
  std::optional<std::string> since;
  Form form = Form::envelope;
  std::string subprotocol;  ///< the one to answer with; empty: none
};

/// A path and its query, split at the first `?`; neither decoded.
struct Target {
  std::string path;
  std::string query;
};
Target split_target(const std::string& target);

/// Percent-decoded once; `+` stays `+`, for tokens may hold one. A parameter that occurs twice keeps its
/// first value. Nothing if an escape is broken, or what it says is not UTF-8.
std::optional<std::map<std::string, std::string>> parse_query(std::string_view query);

/// True for a GET that asks for a WebSocket (RFC 6455 section 4.2.1), whatever the version.
bool is_upgrade(const HttpRequest& request);

/// True if the client's key is 16 bytes in base64 (the same section): each answer is made for one client.
bool has_websocket_key(const HttpRequest& request);

using TokenWays = std::vector<TokenWay>;
bool accepts(const TokenWays& accepted, TokenWay way);

/// The token of an HTTP request: `token` of the query, or `Authorization: Bearer`, as far as these are
/// accepted. Empty if none.
std::string token_of(const HttpRequest& request, const std::map<std::string, std::string>& query,
                     const TokenWays& accepted);

struct BadHandshake {
  std::string why;  ///< for the close frame's reason
};
/// `endpoint` says what is meant where the client does not; `most_topics`: limits.subscriptions. All errors
/// close with 4400.
Result<Handshake, BadHandshake> parse_handshake(const HttpRequest& request, const EndpointSettings& endpoint,
                                                const TokenWays& accepted,
                                                std::size_t most_topics = kMaxPatterns);

}  // namespace trestle
