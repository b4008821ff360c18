#include "bridge/front/handshake.h"

#include <algorithm>

#include "proto/utf8.h"

namespace trestle {
namespace {

constexpr std::string_view kMetaProtocol = "trestle.v1";
constexpr std::string_view kPlainProtocol = "trestle.plain";
constexpr std::string_view kBearerProtocol = "bearer.";
constexpr std::string_view kBearerScheme = "bearer ";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

bool has_item(const std::string& list, std::string_view wanted) {
  const auto items = split_list(lower(list));
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

// The first of ours that the client offers, and a token beside it.
void read_subprotocols(const std::string& header, const TokenWays& accepted, Handshake& out) {
  const bool takes_token = accepts(accepted, TokenWay::subprotocol);
  for (auto& item : split_list(header)) {
    if (out.subprotocol.empty() && (item == kMetaProtocol || item == kPlainProtocol)) out.subprotocol = item;
    if (takes_token && out.token.empty() && item.compare(0, kBearerProtocol.size(), kBearerProtocol) == 0) {
      out.token = item.substr(kBearerProtocol.size());
    }
  }
}

std::optional<BadHandshake> read_form(const std::map<std::string, std::string>& query,
                                      const EndpointSettings& endpoint, Handshake& out) {
  out.form = endpoint.format;
  if (const auto format = query.find("format"); format != query.end()) {
    if (format->second == "envelope") {
      out.form = Form::envelope;
    } else if (format->second == "bare") {
      out.form = Form::bare;
    } else {
      return BadHandshake{"format must be envelope or bare"};
    }
  }
  const auto meta = query.find("meta");
  if (meta != query.end() && meta->second != "0" && meta->second != "1")
    return BadHandshake{"meta must be 0 or 1"};
  if (out.subprotocol == kMetaProtocol || (meta != query.end() && meta->second == "1")) out.form = Form::meta;
  return std::nullopt;
}

}  // namespace

Target split_target(const std::string& target) {
  const auto mark = std::min(target.find('?'), target.size());
  return {target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

std::optional<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return std::nullopt;
    values.emplace(std::move(*name), std::move(*value));
  }
  return values;
}

bool is_upgrade(const HttpRequest& request) {
  return request.method() == "GET" && has_item(request.header("Upgrade"), "websocket") &&
         has_item(request.header("Connection"), "upgrade");
}

bool has_websocket_key(const HttpRequest& request) {
  constexpr std::size_t kDigits = 22;  // 16 bytes
  const auto& key = request.header("Sec-WebSocket-Key");
  const auto is_digit = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; };
  return key.size() == kDigits + 2 && std::all_of(key.begin(), key.begin() + kDigits, is_digit) &&
         key.compare(kDigits, 2, "==") == 0;
}

bool accepts(const TokenWays& accepted, TokenWay way) {
  return std::find(accepted.begin(), accepted.end(), way) != accepted.end();
}

std::string token_of(const HttpRequest& request, const std::map<std::string, std::string>& query,
                     const TokenWays& accepted) {
  const auto token = accepts(accepted, TokenWay::query) ? query.find("token") : query.end();
  if (token != query.end() && !token->second.empty()) return token->second;
  if (!accepts(accepted, TokenWay::header)) return {};
  const auto& header = request.header("Authorization");
  if (lower(header.substr(0, kBearerScheme.size())) != kBearerScheme) return {};
  return header.substr(std::min(header.find_first_not_of(' ', kBearerScheme.size()), header.size()));
}

Result<Handshake, BadHandshake> parse_handshake(const HttpRequest& request, const EndpointSettings& endpoint,
                                                const TokenWays& accepted, std::size_t most_topics) {
  const auto query = parse_query(split_target(request.target()).query);
  if (!query) return BadHandshake{"the query has a broken % escape, or is not UTF-8"};
  Handshake handshake;
  handshake.token = token_of(request, *query, accepted);
  read_subprotocols(request.header("Sec-WebSocket-Protocol"), accepted, handshake);
  if (auto bad = read_form(*query, endpoint, handshake)) return *bad;
  if (const auto topics = query->find("topics"); topics != query->end()) {
    auto patterns = parse_patterns(topics->second, most_topics);
    if (!patterns) return BadHandshake{"topics: " + patterns.error().message};
    handshake.topics = std::move(*patterns);
  }
  if (const auto since = query->find("since"); since != query->end()) handshake.since = since->second;
  return handshake;
}

}  // namespace trestle
