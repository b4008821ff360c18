#include "bridge/config/keys.h"

#include <algorithm>
#include <functional>
#include <set>

#include "tests/unit/bridge/config/settings_fixture.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

const std::string kServerKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";  // of ZeroMQ's own tests

/// A key, a value that is not its default, and how that shows in the settings.
struct Sample {
  std::string section;  ///< empty at the top; "a.b" is inside
  std::string name;
  std::string value;  ///< as YAML
  std::function<bool(const Settings&)> holds;

  std::string yaml() const {
    auto text = name + ": " + value;
    for (auto rest = section; !rest.empty();) {
      const auto dot = rest.rfind('.');
      text = rest.substr(dot + 1) + ": {" + text + "}";
      rest.resize(dot == std::string::npos ? 0 : dot);
    }
    return text;
  }
  std::string variable() const {
    std::string text = "TRESTLE_" + (section.empty() ? "" : section + "_") + name;
    for (char& c : text) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  }
  /// A list as the environment has it: without brackets and quotes.
  std::string text() const {
    std::string plain = value;
    if (plain.front() == '[') plain = plain.substr(1, plain.size() - 2);
    plain.erase(std::remove(plain.begin(), plain.end(), '"'), plain.end());
    return plain;
  }
};

const std::vector<Sample>& samples() {
  using S = Settings;
  static const std::vector<Sample> all = {
      {"listen", "address", "127.0.0.2", [](const S& s) { return s.listen[0].address == "127.0.0.2"; }},
      {"listen", "port", "0", [](const S& s) { return s.listen[0].port == 0; }},
      {"listen", "tls", "on", [](const S& s) { return s.listen[0].tls; }},
      {"listen", "auth", "none",
       [](const S& s) { return !s.listen[0].auth && !s.listen[0].endpoints[0].auth; }},
      {"listen", "insecure", "yes", [](const S& s) { return s.listen[0].insecure; }},
      {"listen", "origins", R"(["https://a.example", "http://*.b.example:81"])",
       [](const S& s) {
         return s.listen[0].origins == std::vector<std::string>{"https://a.example", "http://*.b.example:81"};
       }},
      {"listen", "trusted_proxies", R"(["10.0.0.0/8", "::1"])",
       [](const S& s) {
         return s.listen[0].trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "::1"};
       }},
      {"listen", "proxy_protocol", "on", [](const S& s) { return s.listen[0].proxy_protocol; }},
      {"tls", "certificate", "c.pem", [](const S& s) { return s.tls.certificate == "c.pem"; }},
      {"tls", "key", "k.pem", [](const S& s) { return s.tls.key == "k.pem"; }},
      {"tls", "client_ca", "ca.pem", [](const S& s) { return s.tls.client_ca == "ca.pem"; }},
      {"tls", "client_certificate", "optional",
       [](const S& s) { return s.tls.client_certificate == TlsSettings::ClientCertificate::optional; }},
      {"tls", "hsts", "0s", [](const S& s) { return s.tls.hsts == 0s; }},
      {"tls", "insecure", "yes", [](const S& s) { return s.tls.insecure; }},
      {"heartbeat", "enabled", "No", [](const S& s) { return !s.heartbeat.enabled; }},
      {"heartbeat", "interval", "250ms", [](const S& s) { return s.heartbeat.interval == 250ms; }},
      {"heartbeat", "timeout", "1m", [](const S& s) { return s.heartbeat.timeout == 60s; }},
      {"auth", "enabled", "FALSE", [](const S& s) { return !s.auth.enabled; }},
      {"auth", "token", "s3cret", [](const S& s) { return s.auth.token == "s3cret"; }},
      {"auth", "tokens_file", "t.yaml", [](const S& s) { return s.auth.tokens_file == "t.yaml"; }},
      {"auth", "timeout", "2s", [](const S& s) { return s.auth.timeout == 2s; }},
      {"auth", "grace", "0", [](const S& s) { return s.auth.grace == 0s; }},
      {"auth", "accept", "[header, message]",
       [](const S& s) {
         return s.auth.accept == std::vector<TokenWay>{TokenWay::header, TokenWay::message};
       }},
      {"auth", "revoked_file", "r.yaml", [](const S& s) { return s.auth.revoked_file == "r.yaml"; }},
      {"auth.jwt", "jwks_file", "k.json", [](const S& s) { return s.auth.jwt.jwks_file == "k.json"; }},
      {"auth.jwt", "issuer", "https://i", [](const S& s) { return s.auth.jwt.issuer == "https://i"; }},
      {"auth.jwt", "audience", "[a, b]",
       [](const S& s) {
         return s.auth.jwt.audience == std::vector<std::string>{"a", "b"};
       }},
      {"auth.jwt", "scopes", R"(["read:task.{sub}.>"])",
       [](const S& s) { return s.auth.jwt.scopes == std::vector<std::string>{"read:task.{sub}.>"}; }},
      {"auth.jwt", "leeway", "0", [](const S& s) { return s.auth.jwt.leeway == 0s; }},
      {"auth.jwt", "expiry_required", "false", [](const S& s) { return !s.auth.jwt.expiry_required; }},
      {"auth.jwt", "insecure", "true", [](const S& s) { return s.auth.jwt.insecure; }},
      {"ingest", "bind", R"(["tcp://127.0.0.1:1", "ipc:///a"])",
       [](const S& s) {
         return s.ingest.bind == std::vector<std::string>{"tcp://127.0.0.1:1", "ipc:///a"};
       }},
      {"ingest", "connect", R"(["tcp://127.0.0.1:2"])",
       [](const S& s) { return s.ingest.connect == std::vector<std::string>{"tcp://127.0.0.1:2"}; }},
      {"ingest", "control", "ipc:///b", [](const S& s) { return s.ingest.control == "ipc:///b"; }},
      {"ingest", "max_event", "1MB", [](const S& s) { return s.ingest.max_event == 1'000'000; }},
      {"ingest", "insecure", "true", [](const S& s) { return s.ingest.insecure; }},
      {"ingest.curve", "secret_key_file", "bridge.key",
       [](const S& s) { return s.ingest.curve.secret_key_file == "bridge.key"; }},
      {"ingest.curve", "producers_file", "producers.yaml",
       [](const S& s) { return s.ingest.curve.producers_file == "producers.yaml"; }},
      {"ingest.curve", "server_keys", "[\"" + kServerKey + "\"]",
       [](const S& s) { return s.ingest.curve.server_keys == std::vector<std::string>{kServerKey}; }},
      {"stream", "path", "\":memory:\"", [](const S& s) { return s.stream.path == ":memory:"; }},
      {"stream", "durability", "power",
       [](const S& s) { return s.stream.durability == StreamSettings::Durability::power; }},
      {"session", "queue", "1GiB", [](const S& s) { return s.session.queue == 1024UL * 1024 * 1024; }},
      {"session", "stall", "1h", [](const S& s) { return s.session.stall == 1h; }},
      {"session", "coalesce", "5ms", [](const S& s) { return s.session.coalesce == 5ms; }},
      {"limits", "connections", "7", [](const S& s) { return s.limits.connections == 7; }},
      {"limits", "failed_auth", "0", [](const S& s) { return s.limits.failed_auth == 0; }},
      {"limits", "handshake", "3s", [](const S& s) { return s.limits.handshake == 3s; }},
      {"limits", "per_address", "8", [](const S& s) { return s.limits.per_address == 8; }},
      {"limits", "message", "2048B", [](const S& s) { return s.limits.message == 2048; }},
      {"limits", "body", "3KiB", [](const S& s) { return s.limits.body == 3072; }},
      {"limits", "subscriptions", "3", [](const S& s) { return s.limits.subscriptions == 3; }},
      {"limits", "requests_per_second", "9", [](const S& s) { return s.limits.requests_per_second == 9; }},
      {"compression", "enabled", "false", [](const S& s) { return !s.compression.enabled; }},
      {"compression", "min_size", "2KiB", [](const S& s) { return s.compression.min_size == 2048; }},
      {"", "user", "trestle", [](const S& s) { return s.user == "trestle"; }},
      {"", "core_dumps", "yes", [](const S& s) { return s.core_dumps; }},
      {"", "shards", "3", [](const S& s) { return s.shards == 3; }},
      {"log", "level", "error", [](const S& s) { return s.log.level == LogSettings::Level::error; }},
      {"log", "format", "json", [](const S& s) { return s.log.format == LogSettings::Format::json; }},
  };
  return all;
}

/// What some keys cannot do without.
Variables companions(const Sample& sample) {
  const bool needs_both =
      sample.variable() == "TRESTLE_LISTEN_TLS" || sample.variable() == "TRESTLE_TLS_CLIENT_CA";
  if (needs_both) {
    return {{"TRESTLE_TLS_CERTIFICATE", "c.pem"}, {"TRESTLE_TLS_KEY", "k.pem"}};
  }
  if (sample.variable() == "TRESTLE_LISTEN_PROXY_PROTOCOL")
    return {{"TRESTLE_LISTEN_TRUSTED_PROXIES", "::1"}};
  const std::string curve = "TRESTLE_INGEST_CURVE_";
  if (sample.variable() == curve + "SECRET_KEY_FILE") return {{curve + "PRODUCERS_FILE", "p.yaml"}};
  if (sample.variable() == curve + "PRODUCERS_FILE") return {{curve + "SECRET_KEY_FILE", "b.key"}};
  if (sample.variable() == curve + "SERVER_KEYS") {
    return {{curve + "SECRET_KEY_FILE", "b.key"},
            {curve + "PRODUCERS_FILE", "p.yaml"},
            {"TRESTLE_INGEST_CONNECT", "tcp://127.0.0.1:2"}};
  }
  if (sample.variable() == "TRESTLE_TLS_CERTIFICATE") return {{"TRESTLE_TLS_KEY", "k.pem"}};
  if (sample.variable() == "TRESTLE_TLS_KEY") return {{"TRESTLE_TLS_CERTIFICATE", "c.pem"}};
  return {};
}

/// "section.name" of all scalars and lists of them that are not in lists of maps (of `listen` the first
/// counts).
void collect(const Keys& keys, const std::string& prefix, std::set<std::string>& names) {
  for (const auto& key : keys) {
    switch (key.shape) {
      case Key::Shape::value:
      case Key::Shape::values: names.insert(prefix + key.name); break;
      case Key::Shape::map: collect(key.keys(), prefix + key.name + ".", names); break;
      case Key::Shape::maps:
        if (key.name == "listen") collect(key.items().front(), "listen.", names);
        break;
    }
  }
}

}  // namespace

TEST_CASE("there is a sample of every key that the environment can set") {
  Draft draft = default_draft();
  std::set<std::string> known, sampled;
  collect(keys_of(draft), "", known);
  for (const auto& sample : samples()) {
    sampled.insert((sample.section.empty() ? "" : sample.section + ".") + sample.name);
  }
  CHECK(known == sampled);
}

TEST_CASE("every key can be set in the file") {
  for (const auto& sample : samples()) {
    INFO(sample.yaml());
    CHECK_FALSE(sample.holds(settings_of("")));
    CHECK(sample.holds(settings_of(sample.yaml(), companions(sample))));
  }
}

TEST_CASE("every key can be set in the environment, which wins") {
  const auto every_default = print_settings(settings_of(""));
  for (const auto& sample : samples()) {
    INFO(sample.variable());
    auto variables = companions(sample);
    variables[sample.variable()] = sample.text();
    CHECK(sample.holds(settings_of("", variables)));
    CHECK(sample.holds(settings_of(every_default, variables)));
  }
  CHECK(settings_of("listen: [{port: 1}, {port: 2}]", {{"TRESTLE_LISTEN_PORT", "3"}}).listen[0].port == 3);
  CHECK(settings_of("listen: [{port: 1}, {port: 2}]", {{"TRESTLE_LISTEN_PORT", "3"}}).listen[1].port == 2);
  CHECK(settings_of("", {{"TRESTLE_INGEST_BIND", ""}}).ingest.bind.empty());
  CHECK(settings_of("", {{"TRESTLE_INGEST_BIND", "ipc:///a , ipc:///b"}}).ingest.bind.size() == 2);
}

TEST_CASE("what is printed reads back as the same settings") {
  std::string yaml =
      "endpoints: [{path: /a}, {path: /b, format: bare, auth: none}]\n"
      "topics:\n"
      "- {match: \"p.*\", keep: latest, key: /i~1d/~0, until: \"done.*\", retain: {age: 90m}}\n"
      "- {match: \"out.>\", retain: {count: 5, bytes: 1500B}, under_pressure: merge, merge: /c, merge_by: "
      "[/a, /b]}\n"
      "- {match: \"$sys.x\", keep: none, under_pressure: drop}\n"
      "- {match: s, redact: {members: [/a, \"/*/b\"], unless: secrets}}\n"
      "listen: [{}, {port: 8000, address: \"::1\", auth: none, endpoints: [{path: /x}]}]\n";
  Variables variables;
  for (const auto& sample : samples()) variables[sample.variable()] = sample.text();
  variables["TRESTLE_STREAM_PATH"] = "it's \"x\"\\ü #1: [no]";
  const auto first = settings_of(yaml, variables, "/etc/trestle");
  const auto printed = print_settings(first);
  const auto second = settings_of(printed, {{"TRESTLE_AUTH_TOKEN", "s3cret"}}, "/elsewhere");
  CHECK(print_settings(second) == printed);

  CHECK(second.stream.path == "/etc/trestle/it's \"x\"\\ü #1: [no]");
  CHECK(second.tls.key == "/etc/trestle/k.pem");
  for (const auto& sample : samples()) {
    const bool is_file = sample.name.find("_file") != std::string::npos;
    if (sample.section == "tls" || sample.name == "path" || is_file) continue;
    INFO(sample.yaml());
    CHECK(sample.holds(second));
  }
  REQUIRE(second.listen.size() == 2);
  CHECK(second.listen[1].address == "::1");
  CHECK(second.listen[1].endpoints.size() == 1);
  CHECK(second.listen[0].endpoints[1].format == Form::bare);
  REQUIRE(second.topics.size() == 4);
  const auto& progress = second.topics[0];
  CHECK(progress.match.text() == "p.*");
  CHECK(progress.keep == Keep::latest);
  CHECK(progress.key == "/i~1d/~0");
  CHECK(progress.until->text() == "done.*");
  CHECK(progress.retain.age == 90min);
  CHECK_FALSE(progress.retain.count);
  const auto& out = second.topics[1];
  CHECK(out.keep == Keep::log);
  CHECK(out.retain.count == 5);
  CHECK(out.retain.bytes == 1500);
  CHECK(out.under_pressure == UnderPressure::merge);
  CHECK(out.merge == "/c");
  CHECK(out.merge_by == std::vector<std::string>{"/a", "/b"});
  CHECK(second.topics[2].under_pressure == UnderPressure::drop);
  CHECK(second.topics[2].redact.members.empty());
  CHECK(second.topics[3].redact.members == std::vector<std::string>{"/a", "/*/b"});
  CHECK(second.topics[3].redact.unless == "secrets");
}

TEST_CASE("keys of JWTs: each with an algorithm, a file, and where it was said") {
  const auto s = settings_of(
      "auth:\n  jwt:\n    keys:\n    - {kid: a, algorithm: RS256, file: a.pem}\n    - {algorithm: EdDSA, "
      "file: /b}\n",
      {}, "/etc/trestle");
  REQUIRE(s.auth.jwt.keys.size() == 2);
  CHECK(s.auth.jwt.keys[0].kid == "a");
  CHECK(s.auth.jwt.keys[0].algorithm == JwtAlgorithm::rs256);
  CHECK(s.auth.jwt.keys[0].file == "/etc/trestle/a.pem");
  CHECK(s.auth.jwt.keys[0].place.find(":4:7: auth.jwt.keys: ") != std::string::npos);
  CHECK(s.auth.jwt.keys[1].kid.empty());
  CHECK(s.auth.jwt.keys[1].algorithm == JwtAlgorithm::eddsa);
  CHECK(s.auth.jwt.keys[1].file == "/b");
  const auto printed = print_settings(s);
  CHECK(print_settings(settings_of(printed)) == printed);
}

TEST_CASE("what is looked at after loading knows where it was said") {
  const auto s = settings_of(
      "tls:\n  certificate: a\n  key: b\n  client_ca: c\nauth:\n  token: d\n  tokens_file: e\n"
      "  revoked_file: f\n  jwt: {jwks_file: g}\ningest:\n  curve: {secret_key_file: h, producers_file: i}\n"
      "stream: {path: j}\nuser: k\n",
      {{"TRESTLE_TLS_KEY", "elsewhere"}, {"TRESTLE_AUTH_TOKEN", "s3cret"}});
  CHECK(s.tls.certificate_place == "t.yaml:2:16: tls.certificate: ");
  CHECK(s.tls.key_place == "TRESTLE_TLS_KEY: ");
  CHECK(s.tls.client_ca_place == "t.yaml:4:14: tls.client_ca: ");
  CHECK(s.auth.token_place == "TRESTLE_AUTH_TOKEN: ");
  CHECK(s.auth.tokens_place == "t.yaml:7:16: auth.tokens_file: ");
  CHECK(s.auth.revoked_place == "t.yaml:8:17: auth.revoked_file: ");
  CHECK(s.auth.jwt.jwks_place == "t.yaml:9:20: auth.jwt.jwks_file: ");
  CHECK(s.ingest.curve.secret_key_place == "t.yaml:11:28: ingest.curve.secret_key_file: ");
  CHECK(s.ingest.curve.producers_place == "t.yaml:11:47: ingest.curve.producers_file: ");
  CHECK(s.stream.place == "t.yaml:12:16: stream.path: ");
  CHECK(s.user_place == "t.yaml:13:7: user: ");
}

TEST_CASE("of a default the file and the key are named") {
  const auto s = settings_of("auth: {timeout: 1s}\n");
  CHECK(s.auth.tokens_place == "t.yaml: auth.tokens_file: ");
  CHECK(s.stream.place == "t.yaml: stream.path: ");
}

TEST_CASE("a token is printed as three asterisks, none as empty") {
  CHECK(print_settings(settings_of("auth: {token: s3cret}")).find("token: \"***\"") != std::string::npos);
  CHECK(print_settings(settings_of("auth: {token: s3cret}")).find("s3cret") == std::string::npos);
  CHECK(settings_of(print_settings(settings_of("auth: {token: s3cret}"))).auth.token == "***");
  CHECK(print_settings(settings_of("")).find("token: \"\"") != std::string::npos);
}
