#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bridge/config/jwt_algorithm.h"
#include "bridge/core/policy.h"
#include "proto/envelope.h"

/// Plain structs that say what each part of the bridge shall do; the comments are the reference that
/// deploy/trestle.yaml spells out. After start-up nothing has heard of YAML: each part gets its own struct.
///
/// What ends in `place` says where a value was configured, for messages about it that come after loading:
/// "trestle.yaml:7:5: tls.key: " or "TRESTLE_TLS_KEY: "; of a default it names the file and the key. Empty
/// where nothing was loaded.
namespace trestle {

using std::chrono::milliseconds;

/// A path that WebSocket clients connect to.
struct EndpointSettings {
  std::string path = "/";
  Form format = Form::envelope;  ///< envelope or bare: what a client gets that does not ask
  bool auth = true;              ///< `auth: none` in the file clears it: read-only, without a token
};

/// One listening address. `localhost` means 127.0.0.1 and ::1. Port 0 picks a free one and logs it.
struct ListenSettings {
  std::string address = "localhost";
  std::uint16_t port = 3001;
  bool tls = false;
  bool auth = true;       ///< `auth: none` in the file clears it: read-only, no token on this whole listener
  bool insecure = false;  ///< allows a path without a token on an address beyond loopback
  /// Whose pages may connect (Origin::parse_allowed()); empty: any that brings a token, and without one only
  /// those of the bridge's own address.
  std::vector<std::string> origins;
  std::vector<std::string> trusted_proxies;  ///< Network::parse(): whose word about a client's address counts
  bool proxy_protocol = false;               ///< they start every connection with a PROXY header
  /// The endpoints of this listener, never empty after loading: the file's top-level list unless the listener
  /// has its own. Their `auth` already is false where the listener's is.
  std::vector<EndpointSettings> endpoints;
  std::string address_place{}, port_place{};
};

struct TlsSettings {
  std::filesystem::path certificate;  ///< PEM, with the chain
  std::filesystem::path key;          ///< PEM
  std::filesystem::path
      client_ca;  ///< PEM: who signs clients' certificates; empty: clients are not asked for one
  enum class ClientCertificate { required, optional } client_certificate = ClientCertificate::required;
  /// Strict-Transport-Security: for how long browsers shall use nothing but TLS with this host. 0: not said.
  std::chrono::seconds hsts{30 * 24 * 3600};
  bool insecure = false;  ///< takes a key that everybody on this machine can read
  std::string certificate_place, key_place, client_ca_place;
};

struct HeartbeatSettings {
  bool enabled = true;
  milliseconds interval{30'000};  ///< a session silent for this long is pinged
  milliseconds timeout{10'000};   ///< and dropped if it stays silent for this much longer
};

/// One key that signs JWTs.
struct JwtKeySettings {
  std::string kid;                        ///< what tokens name it by; empty: for tokens that name none
  std::optional<JwtAlgorithm> algorithm;  ///< always there after loading
  std::filesystem::path file;  ///< PEM public key or certificate; for HS256 to HS512 the secret itself
  std::string place;
};

/// JWTs are accepted once there is a key.
struct JwtSettings {
  std::vector<JwtKeySettings> keys;
  std::filesystem::path jwks_file;  ///< further keys, as an issuer publishes them (RFC 7517); empty: none
  std::string jwks_place;
  std::string issuer;                 ///< what `iss` must be; empty: not looked at
  std::vector<std::string> audience;  ///< `aud` must name one of these; empty: a token with `aud` is refused
  std::vector<std::string> scopes;    ///< of tokens that carry neither `scope` nor `scopes`
  milliseconds leeway{30'000};        ///< by which clocks may differ: `exp`, `nbf`, `iat`
  bool expiry_required = true;        ///< false: a token without `exp` is good for ever
  bool insecure = false;              ///< allows secrets that are short, or that everybody here can read
};

/// How a client may show its token.
enum class TokenWay { query, header, subprotocol, message };

struct AuthSettings {
  bool enabled = true;
  std::string token;  ///< one static token that may read everything; empty: none
  std::filesystem::path tokens_file = "tokens.yaml";  ///< made on first start if no token is configured
  milliseconds timeout{5'000};                        ///< for a first message {"type":"auth",…}
  milliseconds grace{5'000};  ///< how long a session outlives its token; an `auth` in time keeps it
  /// A token shown in any other way counts as not shown.
  std::vector<TokenWay> accept{TokenWay::query, TokenWay::header, TokenWay::subprotocol, TokenWay::message};
  std::filesystem::path revoked_file;  ///< JWTs that are worth nothing any more; empty: none
  JwtSettings jwt;
  std::string token_place, tokens_place, revoked_place;
};

/// ZeroMQ CURVE on all of ingest's sockets; on when there is a secret key.
struct CurveSettings {
  std::filesystem::path secret_key_file;  ///< the bridge's key pair, made by `trestle keygen`
  std::filesystem::path producers_file;   ///< public keys of the producers that may connect
  std::vector<std::string> server_keys;   ///< public keys of those that ingest.connect dials, in its order
  std::string secret_key_place, producers_place;

  bool enabled() const { return !secret_key_file.empty(); }
};

struct IngestSettings {
  std::vector<std::string> bind{"tcp://127.0.0.1:5556"};  ///< SUB; producers connect their PUB to it
  std::vector<std::string> connect;                       ///< SUB dials out to PUB sockets that bind
  std::string control = "tcp://127.0.0.1:5557";           ///< ROUTER; empty: no control socket
  std::size_t max_event = 512 * 1024;                     ///< bytes
  bool insecure = false;  ///< allows addresses that others can reach, without CURVE
  CurveSettings curve;
};

struct StreamSettings {
  std::filesystem::path path = "trestle.db";
  enum class Durability { process, power } durability = Durability::process;
  std::string place{};
};

struct SessionSettings {
  std::size_t queue = 4 * 1024 * 1024;  ///< bytes that may wait for one client
  milliseconds stall{10'000};           ///< a client that takes nothing for this long is closed
  /// An event may wait this long behind the one before it, where delivering to many clients takes long, so as
  /// to be delivered together; what comes alone never waits. 0: each at once.
  milliseconds coalesce{10};
};

struct LimitSettings {
  std::size_t connections = 0;     ///< 0: as many as descriptors allow
  std::size_t per_address = 0;     ///< 0: no limit
  std::size_t failed_auth = 10;    ///< unknown tokens from one address before it has to wait; 0: never
  milliseconds handshake{10'000};  ///< for the whole request, TLS and PROXY header included
  std::size_t message = 64 * 1024;
  std::size_t body = 2 * 1024 * 1024;
  std::size_t requests_per_second = 50;
  std::size_t subscriptions = 256;  ///< patterns that one session may name
};

struct CompressionSettings {
  bool enabled = true;          ///< permessage-deflate, for clients that offer it
  std::size_t min_size = 1024;  ///< bytes of a message; shorter ones are sent as they are
};

struct LogSettings {
  enum class Level { debug, info, warning, error } level = Level::info;
  enum class Format { text, json } format = Format::text;
};

struct Settings {
  std::vector<ListenSettings> listen;  ///< never empty after loading
  TlsSettings tls;
  HeartbeatSettings heartbeat;
  AuthSettings auth;
  IngestSettings ingest;
  StreamSettings stream;
  SessionSettings session;
  LimitSettings limits;
  CompressionSettings compression;
  std::size_t shards = 0;  ///< 0: one per core
  std::string user;  ///< whom to go on as once the listeners are open, if started as root; empty: nobody else
  std::string user_place;
  bool core_dumps = false;  ///< a core file holds tokens and keys
  LogSettings log;
  std::vector<Policy> topics;  ///< yours; the built-in ones follow
};

}  // namespace trestle
