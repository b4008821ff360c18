#include "bridge/config/keys.h"

#include <utility>

#include "bridge/config/codec.h"
#include "bridge/core/rights.h"
#include "proto/curve_key.h"

namespace trestle {
namespace {

using namespace codec;
using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::size_t kLongestPath = 255;
constexpr std::size_t kMostValues = 64;

/// `Member` is what the codec speaks of, or an optional of it: unset, it has no text.
template <class Member, class T>
Key value_key(std::string name, Member& member, Codec<T> codec) {
  Key key;
  key.name = std::move(name);
  key.quote = std::is_same_v<T, std::string> || std::is_same_v<T, Pattern>;
  key.set = [&member, codec](const std::string& text) -> Problem {
    auto parsed = codec.parse(text);
    if (!parsed) return parsed.error().message;
    member = std::move(*parsed);
    return std::nullopt;
  };
  key.get = [&member, codec]() -> std::vector<std::string> {
    if constexpr (std::is_same_v<Member, T>) {
      return {codec.print(member)};
    } else {
      return member ? std::vector<std::string>{codec.print(*member)} : std::vector<std::string>{};
    }
  };
  return key;
}

Key path_key(std::string name, std::filesystem::path& member) {
  auto key = value_key(std::move(name), member, path());
  key.quote = true;
  key.path = true;
  return key;
}

template <class T>
Key values_key(std::string name, std::vector<T>& member, Codec<T> codec) {
  Key key;
  key.name = std::move(name);
  key.shape = Key::Shape::values;
  key.quote = std::is_same_v<T, std::string>;
  key.set = [&member, codec](const std::string& text) -> Problem {
    if (member.size() == kMostValues) return "is one too many: at most " + std::to_string(kMostValues);
    auto parsed = codec.parse(text);
    if (!parsed) return parsed.error().message;
    member.push_back(std::move(*parsed));
    return std::nullopt;
  };
  key.get = [&member, codec] {
    std::vector<std::string> texts;
    for (const auto& value : member) texts.push_back(codec.print(value));
    return texts;
  };
  key.clear = [&member] { member.clear(); };
  return key;
}

Key map_key(std::string name, std::function<Keys()> keys) {
  Key key;
  key.name = std::move(name);
  key.shape = Key::Shape::map;
  key.keys = std::move(keys);
  return key;
}

/// `fresh` is what a new item starts as.
template <class T>
Key maps_key(std::string name, std::size_t most, std::vector<T>& member, T fresh, Keys (*keys)(T&)) {
  Key key;
  key.name = std::move(name);
  key.shape = Key::Shape::maps;
  key.most = most;
  key.clear = [&member] { member.clear(); };
  key.add = [&member, fresh, keys] {
    member.push_back(fresh);
    return keys(member.back());
  };
  key.items = [&member, keys] {
    std::vector<Keys> all;
    for (auto& item : member) all.push_back(keys(item));
    return all;
  };
  return key;
}

Key omit_if_empty(Key key) {
  key.omit_if_empty = true;
  return key;
}

Codec<bool> token_or_none() { return word<bool>({{"token", true}, {"none", false}}); }

Codec<std::string> endpoint_path() {
  const auto parse = [](const std::string& text) -> Result<std::string> {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (text.empty() || text.front() != '/' || !plain || text.size() > kLongestPath) {
      return Error{in_quotes(text) + " is not a path: write one that starts with /, such as \"/ws\""};
    }
    if (text.find_first_of("?#") != std::string::npos) {
      return Error{in_quotes(text) + " has a ? or #: write the path alone, clients add the rest"};
    }
    return text;
  };
  return {parse, same_text};
}

// A token travels in URLs, headers and subprotocols; the message must not show it.
Codec<std::string> token() {
  const auto parse = [](const std::string& text) -> Result<std::string> {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!plain || text.size() > kLongestPath) {
      return Error{"a token is at most 255 printable ASCII characters without spaces (not shown here)"};
    }
    return text;
  };
  return {parse, same_text};
}

Codec<std::string> zmq_address_or_none(ZmqSide side) {
  const auto parse = [side](const std::string& text) -> Result<std::string> {
    if (text.empty()) return text;
    return parse_zmq_address(text, side);
  };
  return {parse, same_text};
}

Keys keys_of_endpoint(EndpointSettings& s) {
  return {value_key("path", s.path, endpoint_path()),
          value_key("format", s.format, word<Form>({{"envelope", Form::envelope}, {"bare", Form::bare}})),
          value_key("auth", s.auth, token_or_none())};
}

// A new endpoint has no path, so that one left out is noticed.
Key endpoints_key(std::vector<EndpointSettings>& member) {
  auto key = maps_key("endpoints", 64, member, EndpointSettings{"", Form::envelope, true}, keys_of_endpoint);
  key.may_be_empty = false;
  return key;
}

Keys keys_of_listener(ListenSettings& s) {
  return {value_key("address", s.address, listen_address()),
          value_key("port", s.port, count<std::uint16_t>({0, 65535})),
          value_key("tls", s.tls, boolean()),
          value_key("auth", s.auth, token_or_none()),
          value_key("insecure", s.insecure, boolean()),
          values_key("origins", s.origins, allowed_origin()),
          values_key("trusted_proxies", s.trusted_proxies, network()),
          value_key("proxy_protocol", s.proxy_protocol, boolean()),
          endpoints_key(s.endpoints)};
}

Key listen_key(std::vector<ListenSettings>& member) {
  auto key = maps_key("listen", 16, member, ListenSettings{}, keys_of_listener);
  key.may_be_empty = false;
  key.one_is_enough = true;
  return key;
}

Keys keys_of_tls(TlsSettings& s) {
  using Client = TlsSettings::ClientCertificate;
  return {path_key("certificate", s.certificate),
          path_key("key", s.key),
          path_key("client_ca", s.client_ca),
          value_key("client_certificate", s.client_certificate,
                    word<Client>({{"required", Client::required}, {"optional", Client::optional}})),
          value_key("hsts", s.hsts, duration<seconds>(0s, 24h * 3650)),
          value_key("insecure", s.insecure, boolean())};
}

Keys keys_of_heartbeat(HeartbeatSettings& s) {
  return {value_key("enabled", s.enabled, boolean()),
          value_key("interval", s.interval, duration<milliseconds>(10ms, 24h)),
          value_key("timeout", s.timeout, duration<milliseconds>(10ms, 1h))};
}

Codec<JwtAlgorithm> jwt_algorithm() {
  std::vector<std::pair<std::string, JwtAlgorithm>> words;
  for (const auto& [name, algorithm] : kJwtAlgorithms) words.emplace_back(name, algorithm);
  return word(std::move(words));
}

// Tells a scope from a mistake before any token is seen.
Codec<std::string> scope() {
  const auto parse = [](const std::string& text) -> Result<std::string> {
    if (const auto rights = parse_scopes({text}, "someone"); !rights) return rights.error();
    return text;
  };
  return {parse, same_text};
}

Keys keys_of_jwt_key(JwtKeySettings& s) {
  return {value_key("kid", s.kid, any_text()), value_key("algorithm", s.algorithm, jwt_algorithm()),
          path_key("file", s.file)};
}

Keys keys_of_jwt(JwtSettings& s) {
  return {maps_key("keys", 64, s.keys, JwtKeySettings{}, keys_of_jwt_key),
          path_key("jwks_file", s.jwks_file),
          value_key("issuer", s.issuer, any_text()),
          values_key("audience", s.audience, any_text()),
          values_key("scopes", s.scopes, scope()),
          value_key("leeway", s.leeway, duration<milliseconds>(0ms, 1h)),
          value_key("expiry_required", s.expiry_required, boolean()),
          value_key("insecure", s.insecure, boolean())};
}

Codec<TokenWay> token_way() {
  return word<TokenWay>({{"query", TokenWay::query},
                         {"header", TokenWay::header},
                         {"subprotocol", TokenWay::subprotocol},
                         {"message", TokenWay::message}});
}

Keys keys_of_auth(AuthSettings& s) {
  auto static_token = value_key("token", s.token, token());
  static_token.secret = true;
  return {value_key("enabled", s.enabled, boolean()),
          std::move(static_token),
          path_key("tokens_file", s.tokens_file),
          value_key("timeout", s.timeout, duration<milliseconds>(10ms, 10min)),
          value_key("grace", s.grace, duration<milliseconds>(0ms, 1h)),
          values_key("accept", s.accept, token_way()),
          path_key("revoked_file", s.revoked_file),
          map_key("jwt", [&s] { return keys_of_jwt(s.jwt); })};
}

Codec<std::string> curve_key() {
  const auto parse = [](const std::string& text) -> Result<std::string> {
    if (is_curve_key(text)) return text;
    return Error{in_quotes(text) +
                 " is not a public key: 40 characters, the one that `trestle keygen` writes to FILE.pub"};
  };
  return {parse, same_text};
}

Keys keys_of_curve(CurveSettings& s) {
  return {path_key("secret_key_file", s.secret_key_file), path_key("producers_file", s.producers_file),
          values_key("server_keys", s.server_keys, curve_key())};
}

Keys keys_of_ingest(IngestSettings& s) {
  return {values_key("bind", s.bind, zmq_address(ZmqSide::bind)),
          values_key("connect", s.connect, zmq_address(ZmqSide::connect)),
          value_key("control", s.control, zmq_address_or_none(ZmqSide::bind)),
          value_key("max_event", s.max_event, size({kKiB, 64 * kMiB})),
          value_key("insecure", s.insecure, boolean()),
          map_key("curve", [&s] { return keys_of_curve(s.curve); })};
}

Keys keys_of_stream(StreamSettings& s) {
  using Durability = StreamSettings::Durability;
  return {
      path_key("path", s.path),
      value_key("durability", s.durability,
                word<Durability>({{"process", Durability::process}, {"power", Durability::power}})),
  };
}

Keys keys_of_session(SessionSettings& s) {
  return {value_key("queue", s.queue, size({kKiB, kGiB})),
          value_key("stall", s.stall, duration<milliseconds>(10ms, 1h)),
          value_key("coalesce", s.coalesce, duration<milliseconds>(0ms, 1s))};
}

Keys keys_of_limits(LimitSettings& s) {
  return {value_key("connections", s.connections, count<std::size_t>({0, 1'000'000})),
          value_key("per_address", s.per_address, count<std::size_t>({0, 1'000'000})),
          value_key("failed_auth", s.failed_auth, count<std::size_t>({0, 1'000'000})),
          value_key("handshake", s.handshake, duration<milliseconds>(100ms, 10min)),
          value_key("message", s.message, size({kKiB, 64 * kMiB})),
          value_key("body", s.body, size({kKiB, 64 * kMiB})),
          value_key("requests_per_second", s.requests_per_second, count<std::size_t>({1, 1'000'000})),
          value_key("subscriptions", s.subscriptions, count<std::size_t>({1, 4096}))};
}

Keys keys_of_compression(CompressionSettings& s) {
  return {value_key("enabled", s.enabled, boolean()),
          value_key("min_size", s.min_size, size({64, 64 * kMiB}))};
}

Keys keys_of_log(LogSettings& s) {
  using Level = LogSettings::Level;
  using Format = LogSettings::Format;
  return {
      value_key("level", s.level,
                word<Level>({{"debug", Level::debug},
                             {"info", Level::info},
                             {"warning", Level::warning},
                             {"error", Level::error}})),
      value_key("format", s.format, word<Format>({{"text", Format::text}, {"json", Format::json}})),
  };
}

Keys keys_of_retain(Retain& s) {
  return {value_key("age", s.age, duration<seconds>(1s, 24h * 3650)),
          value_key("count", s.count, count<std::size_t>({1, 1'000'000'000})),
          value_key("bytes", s.bytes, size({kKiB, 1024 * kGiB}))};
}

// What stands behind `see:` in a token's scope; or nothing.
Codec<std::string> scope_name() {
  const auto parse = [](const std::string& text) -> Result<std::string> {
    for (const auto* known : {"admin", "read", "publish", "command", "see"}) {
      if (text == known)
        return Error{in_quotes(text) + " is a scope of its own: choose another name, or leave unless out"};
    }
    if (text.empty() || is_scope_name(text)) return text;
    return Error{in_quotes(text) +
                 " is not a name of 1 to 64 letters, digits, - and _, such as \"secrets\", which tokens "
                 "with the scope see:secrets have"};
  };
  return {parse, same_text};
}

Keys keys_of_redact(Redact& s) {
  return {omit_if_empty(values_key("members", s.members, Codec<std::string>{parse_pointer, same_text})),
          omit_if_empty(value_key("unless", s.unless, scope_name()))};
}

Keys keys_of_policy(Policy& s) {
  return {
      value_key("match", s.match, pattern()),
      value_key("keep", s.keep,
                word<Keep>({{"none", Keep::none}, {"latest", Keep::latest}, {"log", Keep::log}})),
      omit_if_empty(value_key("key", s.key, pointer())),
      value_key("until", s.until, pattern()),
      map_key("retain", [&s] { return keys_of_retain(s.retain); }),
      value_key("under_pressure", s.under_pressure,
                word<UnderPressure>({{"close", UnderPressure::close},
                                     {"drop", UnderPressure::drop},
                                     {"merge", UnderPressure::merge}})),
      omit_if_empty(value_key("merge", s.merge, pointer())),
      omit_if_empty(values_key("merge_by", s.merge_by, Codec<std::string>{parse_pointer, same_text})),
      map_key("redact", [&s] { return keys_of_redact(s.redact); }),
  };
}

}  // namespace

Draft default_draft() {
  Draft draft;
  draft.settings.listen.emplace_back();
  draft.endpoints = {
      {"/", Form::envelope, true}, {"/ws", Form::envelope, true}, {"/plugin/ws", Form::bare, true}};
  return draft;
}

Keys keys_of(Draft& draft) {
  auto& s = draft.settings;
  return {
      listen_key(s.listen),
      endpoints_key(draft.endpoints),
      map_key("tls", [&s] { return keys_of_tls(s.tls); }),
      map_key("heartbeat", [&s] { return keys_of_heartbeat(s.heartbeat); }),
      map_key("auth", [&s] { return keys_of_auth(s.auth); }),
      map_key("ingest", [&s] { return keys_of_ingest(s.ingest); }),
      map_key("stream", [&s] { return keys_of_stream(s.stream); }),
      map_key("session", [&s] { return keys_of_session(s.session); }),
      map_key("limits", [&s] { return keys_of_limits(s.limits); }),
      map_key("compression", [&s] { return keys_of_compression(s.compression); }),
      value_key("shards", s.shards, count<std::size_t>({0, 256})),
      value_key("user", s.user, any_text()),
      value_key("core_dumps", s.core_dumps, boolean()),
      map_key("log", [&s] { return keys_of_log(s.log); }),
      maps_key("topics", 256, s.topics, Policy{}, keys_of_policy),
  };
}

}  // namespace trestle
