#include "bridge/config/validate.h"
#include "tests/unit/bridge/config/settings_fixture.h"

using namespace trestle;

namespace {

struct Case {
  std::string yaml;
  std::string line;
};

void check(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    INFO(c.yaml);
    CHECK(error_of(c.yaml) == c.line);
  }
}

}  // namespace

TEST_CASE("a key that is not known is named, with the nearest right one") {
  check({
      {"heartbeat:\n  intervall: 30s",
       R"(t.yaml:2:3: unknown key "intervall" in heartbeat (did you mean "interval"?))"},
      {"listne: {}", R"(t.yaml:1:1: unknown key "listne" (did you mean "listen"?))"},
      {"shards: 1\nhaertbeat: {}", R"(t.yaml:2:1: unknown key "haertbeat" (did you mean "heartbeat"?))"},
      {"log: {colour: red}", R"(t.yaml:1:7: unknown key "colour" in log (keys here: level, format))"},
      {"listen: {prot: 1}", R"(t.yaml:1:10: unknown key "prot" in listen (did you mean "port"?))"},
      {"listen:\n- endpoints:\n  - {pth: /}",
       R"(t.yaml:3:6: unknown key "pth" in listen.endpoints (did you mean "path"?))"},
      {"topics:\n- match: a\n  retain: {agee: 1h}",
       R"(t.yaml:3:12: unknown key "agee" in topics.retain (did you mean "age"?))"},
      {"Shards: 1", R"(t.yaml:1:1: unknown key "Shards" (did you mean "shards"?))"},
      {"log: {\"a\\nb\": 1}", R"(t.yaml:1:7: unknown key "a?b" in log (keys here: level, format))"},
  });
}

TEST_CASE("a value of the wrong shape is told what would be right") {
  check({
      {"- a", "t.yaml:1:1: a configuration needs keys with values, such as \"listen: …\", not a list"},
      {"hello",
       "t.yaml:1:1: a configuration needs keys with values, such as \"listen: …\", not a single value"},
      {"log: 3", "t.yaml:1:6: log: needs keys with values, such as \"level: …\", not a single value"},
      {"log:", "t.yaml:1:1: log: needs keys with values, such as \"level: …\", not nothing"},
      {"shards: [1]", "t.yaml:1:9: shards: needs a single value, not a list"},
      {"shards: {a: 1}", "t.yaml:1:9: shards: needs a single value, not a map of keys"},
      {"shards:", "t.yaml:1:1: shards: has no value: give it one, or leave the key out for its default"},
      {"ingest: {bind: \"tcp://127.0.0.1:1\"}",
       "t.yaml:1:16: ingest.bind: needs a list, such as [a, b], not a single value"},
      {"ingest: {bind: [[a]]}", "t.yaml:1:17: ingest.bind: needs a single value, not a list"},
      {"topics: {match: a}",
       "t.yaml:1:9: topics: needs a list of maps, each starting with a dash, not a map of keys"},
      {"listen: []", "t.yaml:1:9: listen: is empty: give it an item, or leave the key out for its default"},
      {"endpoints: []",
       "t.yaml:1:12: endpoints: is empty: give it an item, or leave the key out for its default"},
      {"listen: [{endpoints: []}]",
       "t.yaml:1:22: listen.endpoints: is empty: give it an item, or leave the key out for its default"},
      {"listen: [3001]",
       "t.yaml:1:10: listen: needs keys with values, such as \"address: …\", not a single value"},
      {"stream: {path: \"a\\nb\"}", "t.yaml:1:16: stream.path: holds a line end or a control character"},
  });
}

TEST_CASE("numbers are decimal and in range") {
  const std::string port = " is not a whole number from 0 to 65535, in decimal without leading zeros";
  check({
      {"listen: {port: 65536}", "t.yaml:1:16: listen.port: \"65536\"" + port},
      {"listen: {port: -1}", "t.yaml:1:16: listen.port: \"-1\"" + port},
      {"listen: {port: 0x50}", "t.yaml:1:16: listen.port: \"0x50\"" + port},
      {"listen: {port: 010}", "t.yaml:1:16: listen.port: \"010\"" + port},
      {"listen: {port: 80.0}", "t.yaml:1:16: listen.port: \"80.0\"" + port},
      {"listen: {port: 99999999999999999999}", "t.yaml:1:16: listen.port: \"99999999999999999999\"" + port},
      {"shards: 257",
       "t.yaml:1:9: shards: \"257\" is not a whole number from 0 to 256, in decimal without leading zeros"},
      {"limits: {subscriptions: 4097}",
       "t.yaml:1:25: limits.subscriptions: \"4097\" is not a whole number from 1 to 4096, in decimal without "
       "leading zeros"},
      {"limits: {requests_per_second: 0}",
       "t.yaml:1:31: limits.requests_per_second: \"0\" is not a whole number from 1 to 1000000, in decimal "
       "without "
       "leading zeros"},
  });
}

TEST_CASE("durations and sizes carry units") {
  check({
      {"heartbeat: {interval: 30}",
       R"(t.yaml:1:23: heartbeat.interval: "30" has no unit: write "30s", or with another of d, h, m, s, ms)"},
      {"heartbeat: {interval: 30sec}",
       R"(t.yaml:1:23: heartbeat.interval: "30sec" is not a duration: write a whole number and one of d, h, m, s, ms, for example "30s")"},
      {"heartbeat: {interval: 5S}",
       R"(t.yaml:1:23: heartbeat.interval: "5S" is not a duration: write a whole number and one of d, h, m, s, ms (did you mean "5s"?))"},
      {"heartbeat: {interval: 1.5s}",
       R"(t.yaml:1:23: heartbeat.interval: "1.5s" is not a duration: write a whole number and one of d, h, m, s, ms, for example "30s")"},
      {"heartbeat: {interval: 0}", R"(t.yaml:1:23: heartbeat.interval: "0" is out of range: 10ms to 1d)"},
      {"heartbeat: {interval: 2d}", R"(t.yaml:1:23: heartbeat.interval: "2d" is out of range: 10ms to 1d)"},
      {"session: {stall: 18446744073709551615d}",
       R"(t.yaml:1:18: session.stall: "18446744073709551615d" is out of range: 10ms to 1h)"},
      {"topics: [{match: a, retain: {age: 1500ms}}]",
       R"(t.yaml:1:35: topics.retain.age: "1500ms" is not in whole seconds)"},
      {"session: {queue: 4096}",
       R"(t.yaml:1:18: session.queue: "4096" has no unit: write "4096KiB", or with another of GiB, MiB, KiB, GB, MB, KB, B)"},
      {"session: {queue: 1023B}", R"(t.yaml:1:18: session.queue: "1023B" is out of range: 1KiB to 1GiB)"},
      {"session: {queue: 1KiB}", "ok"},
      {"session: {queue: 4mib}",
       R"(t.yaml:1:18: session.queue: "4mib" is not a size: write a whole number and one of GiB, MiB, KiB, GB, MB, KB, B (did you mean "4MiB"?))"},
      {"session: {queue: big}",
       R"(t.yaml:1:18: session.queue: "big" is not a size: write a whole number and one of GiB, MiB, KiB, GB, MB, KB, B, for example "30KiB")"},
      {"ingest: {max_event: 1023B}",
       R"(t.yaml:1:21: ingest.max_event: "1023B" is out of range: 1KiB to 64MiB)"},
      {"ingest: {max_event: 65MiB}",
       R"(t.yaml:1:21: ingest.max_event: "65MiB" is out of range: 1KiB to 64MiB)"},
  });
}

TEST_CASE("words are the ones there are") {
  check({
      {"log: {level: warn}", R"(t.yaml:1:14: log.level: "warn" is not one of debug, info, warning, error)"},
      {"log: {level: debugg}",
       R"(t.yaml:1:14: log.level: "debugg" is not one of debug, info, warning, error (did you mean "debug"?))"},
      {"endpoints: [{path: /, format: meta}]",
       R"(t.yaml:1:31: endpoints.format: "meta" is not one of envelope, bare)"},
      {"endpoints: [{path: /, auth: false}]",
       R"(t.yaml:1:29: endpoints.auth: "false" is not one of token, none)"},
      {"heartbeat: {enabled: 1}", R"(t.yaml:1:22: heartbeat.enabled: "1" is neither true nor false)"},
  });
}

TEST_CASE("endpoints are paths, each once") {
  check({
      {"endpoints: [{format: bare}]", "t.yaml:1:13: endpoints: needs a path, such as \"/ws\""},
      {"endpoints: [{path: ws}]",
       R"(t.yaml:1:20: endpoints.path: "ws" is not a path: write one that starts with /, such as "/ws")"},
      {"endpoints: [{path: \"/a b\"}]",
       R"(t.yaml:1:20: endpoints.path: "/a b" is not a path: write one that starts with /, such as "/ws")"},
      {"endpoints: [{path: \"/ws?x=1\"}]",
       R"(t.yaml:1:20: endpoints.path: "/ws?x=1" has a ? or #: write the path alone, clients add the rest)"},
      {"endpoints: [{path: /a#b}]",
       R"(t.yaml:1:20: endpoints.path: "/a#b" has a ? or #: write the path alone, clients add the rest)"},
      {"endpoints: [{path: /}, {path: /}]",
       R"(t.yaml:1:31: endpoints.path: "/" is already an endpoint: give each its own path)"},
      {"listen: {endpoints: [{path: /a}, {path: /a}]}",
       R"(t.yaml:1:41: listen.endpoints.path: "/a" is already an endpoint: give each its own path)"},
      {"listen: [{port: 1, endpoints: [{path: /a}]}, {port: 2, endpoints: [{path: /a}]}]", "ok"},
  });
}

TEST_CASE("listeners say where, and do not stand in each other's way") {
  const std::string address =
      " is not an address: write localhost, an IP address such as 192.0.2.7 or ::1, or 0.0.0.0 or :: for all "
      "of this "
      "machine's";
  check({
      {"listen: {address: example.org}", "t.yaml:1:19: listen.address: \"example.org\"" + address},
      {"listen: {address: \"[::1]\"}", "t.yaml:1:19: listen.address: \"[::1]\"" + address},
      {"listen: {address: \"*\"}", "t.yaml:1:19: listen.address: \"*\"" + address},
      {"listen: {address: 127.1}", "t.yaml:1:19: listen.address: \"127.1\"" + address},
  });
}

TEST_CASE("doors are for pages and proxies that can be told from others") {
  CHECK(error_of("listen: {origins: [\"https://a.example\", a.example]}")
            .find("t.yaml:1:41: listen.origins: \"a.example\" is not an origin: write one such as ") == 0);
  check({
      {"listen: {origins: [\"https://a.example\", \"https://*.b.example:8443\"]}", "ok"},
      {"listen: {trusted_proxies: [10.0.0.5, \"2001:db8::/64\"], proxy_protocol: yes}", "ok"},
      {"listen: {trusted_proxies: [10.0.0.5/8]}",
       "t.yaml:1:28: listen.trusted_proxies: \"10.0.0.5/8\" has bits beyond its length: \"10.0.0.0/8\" is "
       "the range "
       "that holds it"},
      {"listen: {trusted_proxies: [\"::/0\"]}",
       "t.yaml:1:28: listen.trusted_proxies: \"::/0\" is everybody: name the proxies themselves"},
      {"listen: {proxy_protocol: yes}",
       "t.yaml:1:26: listen.proxy_protocol: needs trusted_proxies, the addresses that may say whom a "
       "connection is "
       "from, such as [\"10.0.0.5\"]"},
  });
}

TEST_CASE("TLS needs both of its files") {
  check({
      {"listen: {tls: true}", "t.yaml:1:15: listen.tls: needs tls.certificate and tls.key, both PEM files"},
      {"listen: {tls: true}\ntls: {certificate: a.pem}",
       "t.yaml:1:15: listen.tls: needs tls.certificate and tls.key, both PEM files"},
      {"tls: {certificate: a.pem}", "t.yaml:1:6: tls: has a certificate but no key: set tls.key"},
      {"tls: {key: a.pem}", "t.yaml:1:6: tls: has a key but no certificate: set tls.certificate"},
      {"tls: {client_ca: ca.pem}",
       "t.yaml:1:18: tls.client_ca: is of no use without tls.certificate and tls.key"},
      {"listen: {tls: true}\ntls: {certificate: a.pem, key: b.pem}", "ok"},
  });
}

TEST_CASE("a path without a token stays on this machine unless somebody means it") {
  const std::string open =
      " can be reached from other machines and authentication is off there: turn it on, listen on localhost, "
      "or say "
      "insecure: true on this listener if it is meant";
  check({
      {"listen: {address: 0.0.0.0}", "ok"},
      {"listen: {address: 0.0.0.0, auth: none}", "t.yaml:1:19: listen.address: \"0.0.0.0\"" + open},
      {"auth: {enabled: no}\nlisten: {address: \"::\"}", "t.yaml:2:19: listen.address: \"::\"" + open},
      {"listen: {address: 10.1.2.3}\nendpoints: [{path: /, auth: none}]",
       "t.yaml:1:19: listen.address: \"10.1.2.3\"" + open},
      {"listen: {address: 0.0.0.0, auth: none, insecure: true}", "ok"},
      {"listen: {address: 10.1.2.3, endpoints: [{path: /}]}\nendpoints: [{path: /, auth: none}]", "ok"},
      {"listen: {auth: none}", "ok"},
      {"listen: {address: 127.8.8.8, auth: none}", "ok"},
      {"listen: {address: \"::1\", auth: none}", "ok"},
  });
  CHECK(error_of("auth: {enabled: false}", {{"TRESTLE_LISTEN_ADDRESS", "0.0.0.0"}}) ==
        "TRESTLE_LISTEN_ADDRESS: \"0.0.0.0\"" + open);
}

TEST_CASE(
    "sockets that can't be bound beside each other are named, whatever way their addresses are written") {
  const auto clash = [](const std::string& place, const std::string& one, const std::string& other) {
    return place + ": \"" + one + "\" is taken by " + other + ": give each a port of its own";
  };
  check({
      {"listen: [{port: 1}, {port: 1}]",
       clash("t.yaml:1:28: listen.port", "localhost:1", "listen.port, \"localhost:1\"")},
      {"ingest: {bind: [\"tcp://127.0.0.1:9\"], control: \"tcp://127.0.0.1:9\"}",
       clash("t.yaml:1:48: ingest.control", "tcp://127.0.0.1:9", "ingest.bind, \"tcp://127.0.0.1:9\"")},
      {"ingest: {bind: [\"ipc:///a\", \"ipc:///a\"]}",
       R"(t.yaml:1:29: ingest.bind: "ipc:///a" is taken by ingest.bind, "ipc:///a": give each a path of its own)"},
      {"listen: {port: 5556}",
       clash("t.yaml:1:16: listen.port", "localhost:5556", "ingest.bind, \"tcp://127.0.0.1:5556\"")},
      {"ingest: {bind: [\"tcp://127.0.0.1:5557\"]}",
       clash("t.yaml:1:9: ingest", "tcp://127.0.0.1:5557", "ingest.bind, \"tcp://127.0.0.1:5557\"")},
  });
  CHECK(error_of("", {{"TRESTLE_LISTEN_PORT", "5557"}}) ==
        clash("TRESTLE_LISTEN_PORT", "localhost:5557", "ingest.control, \"tcp://127.0.0.1:5557\""));
  const auto fit = [](const std::string& address, const std::string& zmq, const std::string& port = "9") {
    return error_of("listen: {address: \"" + address +
                    "\", port: 9}\ningest: {insecure: yes, control: \"tcp://" + zmq + ":" + port + "\"}") ==
           "ok";
  };
  for (const auto* zmq : {"127.0.0.1", "[::1]", "[0:0::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "*", "[::]"}) {
    INFO(zmq);
    CHECK_FALSE(fit("localhost", zmq));
    CHECK(fit("localhost", zmq, "10"));
    CHECK(fit("localhost", zmq, "*"));
    CHECK(fit("192.0.2.1", zmq) ==
          (std::string(zmq) != "0.0.0.0" && std::string(zmq) != "*" && std::string(zmq) != "[::]"));
  }
  CHECK_FALSE(fit("::", "[::1]"));
  CHECK_FALSE(fit("0.0.0.0", "eth0"));
  CHECK(fit("::", "127.0.0.1"));
  CHECK(fit("::", "0.0.0.0"));
  CHECK(fit("127.0.0.2", "127.0.0.1"));
  CHECK(fit("127.0.0.1", "eth0"));
  check({
      {"listen: [{port: 0}, {port: 0}]", "ok"},
      {"listen: [{address: 0.0.0.0, port: 1}, {address: \"::\", port: 1}]", "ok"},
      {"ingest: {bind: [\"tcp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"], control: \"ipc:///c\"}", "ok"},
      {"listen: {port: 9}\ningest: {control: \"\", connect: [\"tcp://127.0.0.1:9\"]}", "ok"},
  });
}

TEST_CASE("a token that can be guessed is warned of where other machines can try") {
  const auto warning_of = [](const std::string& yaml, const Variables& variables = {}) {
    return find_warning(settings_of(yaml, variables)).value_or("none");
  };
  const std::string open = "listen: {address: 0.0.0.0}\n";
  const std::string weak =
      "the token is shorter than 16 characters, and other machines can try to guess it at 0.0.0.0: make a "
      "longer one with openssl rand -hex 24";
  CHECK(warning_of(open + "auth: {token: abc}") == "t.yaml:2:15: auth.token: " + weak);
  CHECK(warning_of(open + "auth: {token: 0123456789abcde}") == "t.yaml:2:15: auth.token: " + weak);
  CHECK(warning_of(open + "auth: {token: 0123456789abcdef}") == "none");
  CHECK(warning_of(open, {{"TRESTLE_AUTH_TOKEN", "abc"}}) == "TRESTLE_AUTH_TOKEN: " + weak);
  CHECK(warning_of("auth: {token: abc}") == "none");
  CHECK(warning_of("listen: [{port: 1}, {address: \"::\", port: 2}]\nauth: {token: abc}")
            .find("guess it at ::: ") != std::string::npos);
  CHECK(warning_of("listen: {address: 0.0.0.0, insecure: true}\nauth: {enabled: false, token: abc}") ==
        "none");
  CHECK(warning_of(open) == "none");
}

TEST_CASE("an IPv4 address is written as one") {
  const auto is_refused = [](const std::string& mapped, const std::string& plain) {
    CHECK(error_of("listen: {address: \"" + mapped + "\"}") ==
          "t.yaml:1:19: listen.address: \"" + mapped +
              "\" is an IPv4 address written as an IPv6 one: write " + plain);
  };
  is_refused("::ffff:127.0.0.1", "127.0.0.1");
  is_refused("::FFFF:7f00:1", "127.0.0.1");
  is_refused("0:0:0:0:0:ffff:0.0.0.0", "0.0.0.0");
  is_refused("::ffff:10.0.0.1%lo", "10.0.0.1");
  CHECK(error_of("", {{"TRESTLE_LISTEN_ADDRESS", "::ffff:127.0.0.1"}}).find("TRESTLE_LISTEN_ADDRESS: ") == 0);
  check({{"listen: {address: \"::fffe:127.0.0.1\"}", "ok"}, {"listen: {address: \"::\"}", "ok"}});
}

TEST_CASE("ZeroMQ addresses are for other processes on this machine unless somebody means it") {
  const std::string open =
      " can be reached from other machines, and anybody there could publish; use 127.0.0.1 or ipc://, turn "
      "on "
      "CURVE with ingest.curve (trestle keygen makes the keys), or say ingest.insecure: true if all of them "
      "are trusted";
  check({
      {"ingest: {bind: [\"tcp://*:5556\"]}", "t.yaml:1:17: ingest.bind: \"tcp://*:5556\"" + open},
      {"ingest:\n  bind:\n  - tcp://127.0.0.1:1\n  - tcp://0.0.0.0:1",
       "t.yaml:4:5: ingest.bind: \"tcp://0.0.0.0:1\"" + open},
      {"ingest: {connect: [\"tcp://producer:1\"]}",
       "t.yaml:1:20: ingest.connect: \"tcp://producer:1\"" + open},
      {"ingest: {control: \"tcp://[::]:1\"}", "t.yaml:1:19: ingest.control: \"tcp://[::]:1\"" + open},
      {"ingest: {bind: [\"tcp://*:5556\"], connect: [\"tcp://producer:1\"], insecure: yes}", "ok"},
      {"ingest: {bind: [\"tcp://127.0.0.1:*\", \"tcp://[::1]:1\", \"tcp://localhost:2\"]}", "ok"},
      {"ingest: {bind: [\"ipc:///run/x\"], control: \"ipc:///run/y@z\"}", "ok"},
      {"ingest: {bind: [\"inproc://x\"]}",
       R"(t.yaml:1:17: ingest.bind: "inproc://x" is not a ZeroMQ address for other processes: write "tcp://127.0.0.1:5556" or "ipc:///run/trestle/events")"},
      {"ingest: {bind: [\"127.0.0.1:5556\"]}",
       R"(t.yaml:1:17: ingest.bind: "127.0.0.1:5556" is not a ZeroMQ address for other processes: write "tcp://127.0.0.1:5556" or "ipc:///run/trestle/events")"},
      {"ingest: {bind: [\"tcp://127.0.0.1\"]}",
       R"(t.yaml:1:17: ingest.bind: "tcp://127.0.0.1" has no port from 1 to 65535: write one as in "tcp://127.0.0.1:5556")"},
      {"ingest: {connect: [\"tcp://127.0.0.1:*\"]}",
       R"(t.yaml:1:20: ingest.connect: "tcp://127.0.0.1:*" has no port from 1 to 65535: write one as in "tcp://127.0.0.1:5556")"},
      {"ingest: {bind: [\"tcp://:5556\"]}",
       R"(t.yaml:1:17: ingest.bind: "tcp://:5556" has no usable host: write one as in "tcp://127.0.0.1:5556" or "tcp://[::1]:5556")"},
      {"ingest: {bind: [\"ipc://\"]}",
       R"(t.yaml:1:17: ingest.bind: "ipc://" needs an absolute path, such as "ipc:///run/trestle/events")"},
      {"ingest: {bind: [\"ipc://x/y\"]}",
       R"(t.yaml:1:17: ingest.bind: "ipc://x/y" needs an absolute path, such as "ipc:///run/trestle/events")"},
  });
  CHECK(error_of("ingest:\n  bind: [\"tcp://127.0.0.1:1\"]", {{"TRESTLE_INGEST_BIND", "tcp://0.0.0.0:1"}}) ==
        "TRESTLE_INGEST_BIND: \"tcp://0.0.0.0:1\"" + open);
}

TEST_CASE("an abstract name is for whoever comes first, so it has to be meant, or CURVE has to be on") {
  const std::string open =
      " is an abstract name: no file, so no mode keeps any user of this machine from publishing there, or "
      "from "
      "taking the name first; write a path such as ipc:///run/trestle/events, turn on CURVE with "
      "ingest.curve "
      "(trestle keygen makes the keys), or say ingest.insecure: true if all of them are trusted";
  check({
      {"ingest: {bind: [\"ipc:///run/x\", \"ipc://@x\"]}", "t.yaml:1:33: ingest.bind: \"ipc://@x\"" + open},
      {"ingest: {connect: [\"ipc://@x\"]}", "t.yaml:1:20: ingest.connect: \"ipc://@x\"" + open},
      {"ingest: {control: \"ipc://@x\"}", "t.yaml:1:19: ingest.control: \"ipc://@x\"" + open},
      {"ingest: {bind: [\"ipc://@x\"], connect: [\"ipc://@y\"], control: \"ipc://@z\", insecure: true}",
       "ok"},
      {"ingest: {bind: [\"ipc://@x\"], curve: {secret_key_file: a, producers_file: b}}", "ok"},
  });
  CHECK(error_of("", {{"TRESTLE_INGEST_BIND", "ipc://@x"}}) == "TRESTLE_INGEST_BIND: \"ipc://@x\"" + open);
}

TEST_CASE("topics are policies that make sense") {
  check({
      {"topics: [{keep: log}]", "t.yaml:1:10: topics: needs match, a topic pattern such as \"task.*\""},
      {"topics: [{match: a, keep: newest}]",
       R"(t.yaml:1:27: topics.keep: "newest" is not one of none, latest, log)"},
      {"topics: [{match: a, key: id}]",
       R"(t.yaml:1:26: topics.key: "id" is not a JSON pointer to a member, such as "/taskConfig/id")"},
      {"topics: [{match: a, key: /a~2}]",
       R"(t.yaml:1:26: topics.key: "/a~2" is not a JSON pointer to a member, such as "/taskConfig/id": write ~ as ~0 and a / in a name as ~1)"},
      {"topics: [{match: \"a.*\", until: \"b.*\"}]",
       "t.yaml:1:32: topics.until: ends what keep: latest keeps: set keep: latest, or leave until out"},
      {"topics: [{match: a, keep: latest, until: \"b.*\"}]",
       R"(t.yaml:1:18: topics.match: with until must end in .* as its only wildcard, such as "task.*")"},
      {"topics: [{match: \"a.*\", keep: latest, until: \"b.>\"}]",
       R"(t.yaml:1:46: topics.until: must end in .* as its only wildcard, such as "task-finished.*")"},
      {"topics: [{match: \"*.a.*\", keep: latest, until: \"b.*\"}]",
       R"(t.yaml:1:18: topics.match: with until must end in .* as its only wildcard, such as "task.*")"},
      {"topics: [{match: \"a.*\", keep: latest, until: \"b.*\"}]", "ok"},
      {"topics: [{match: a, keep: none, retain: {count: 1}}]",
       "t.yaml:1:41: topics.retain: keep: none keeps nothing: leave retain out, or keep log or latest"},
      {"topics: [{match: a, keep: latest, retain: {age: 25h}}]",
       "t.yaml:1:49: topics.retain.age: keep: latest keeps nothing for longer than 24h: say 24h or less, or "
       "keep: log"},
      {"topics: [{match: a, keep: latest, retain: {count: 100001}}]",
       "t.yaml:1:51: topics.retain.count: keep: latest keeps at most 100000 topics, of all policies: say "
       "less, "
       "or keep: log"},
      {"topics: [{match: a, keep: latest, retain: {age: 24h, count: 100000, bytes: 64MiB}}]", "ok"},
      {"topics: [{match: a, under_pressure: merge}]",
       "t.yaml:1:37: topics.under_pressure: merge needs the string to join: add merge, such as merge: "
       "/content"},
      {"topics: [{match: a, merge: /a}]",
       "t.yaml:1:28: topics.merge: only works with under_pressure: merge: add it, or leave merge out"},
      {"topics: [{match: a, merge_by: [/a]}]",
       "t.yaml:1:31: topics.merge_by: only works with under_pressure: merge: add it, or leave merge_by out"},
      {"topics: [{match: a, under_pressure: merge, merge: /c, merge_by: [\"\"]}]",
       R"(t.yaml:1:66: topics.merge_by: "" is not a JSON pointer to a member, such as "/taskConfig/id")"},
  });
  const auto pattern = error_of("topics: [{match: a..b}]");
  CHECK(pattern.rfind("t.yaml:1:18: topics.match: ", 0) == 0);
  CHECK(pattern.find("a..b") != std::string::npos);
}

TEST_CASE("a redaction that would hide nothing, or that cannot be, is told") {
  const auto job = [](const std::string& redact, const std::string& more = "") {
    return "topics:\n- match: \"job.*\"\n" + more + "  redact: " + redact;
  };
  check({
      {job("{members: [/a, \"/b/*/c\"], unless: se-cre_ts}"), "ok"},
      {job("{members: [/a]}"), "ok"},
      {job("{members: []}"), "ok"},
      {job("{unless: secrets}"),
       "t.yaml:3:11: topics.redact: needs members, the JSON pointers to remove, such as members: [/content]"},
      {job("{members: [a]}"),
       R"(t.yaml:3:22: topics.redact.members: "a" is not a JSON pointer to a member, such as "/taskConfig/id")"},
      {job("{members: [/a], unless: \"see:x\"}"),
       R"(t.yaml:3:35: topics.redact.unless: "see:x" is not a name of 1 to 64 letters, digits, - and _, such as "secrets", which tokens with the scope see:secrets have)"},
      {job("{members: [/a], unless: admin}"),
       R"(t.yaml:3:35: topics.redact.unless: "admin" is a scope of its own: choose another name, or leave unless out)"},
      {job("{members: [/a, /type]}"),
       R"(t.yaml:3:26: topics.redact.members: "/type" takes the type along, which no event can be without: name other members)"},
      {job("{members: [\"/*\"]}"),
       R"(t.yaml:3:22: topics.redact.members: "/*" takes the type along, which no event can be without: name other members)"},
      {job("{members: [/a, /k]}", "  key: /k/id\n"),
       R"(t.yaml:4:26: topics.redact.members: "/k" takes along the key /k/id of job.*, which the topic tells all the same: name other members, or make another member the key)"},
      {job("{members: [\"/k/*\"]}", "  key: /k/id\n"),
       R"(t.yaml:4:22: topics.redact.members: "/k/*" takes along the key /k/id of job.*, which the topic tells all the same: name other members, or make another member the key)"},
      {job("{members: [/k/id/x, /k/i]}", "  key: /k/id\n"), "ok"},
      {job("{members: [/m]}", "  under_pressure: merge\n  merge: /c\n  merge_by: [/m/n]\n"),
       R"(t.yaml:6:22: topics.redact.members: "/m" takes along /m/n, which merge_by compares: name other members)"},
      {job("{members: [/c]}", "  under_pressure: merge\n  merge: /c\n"), "ok"},
  });
}

TEST_CASE("a redaction may take the key of another policy only where that has the topics to itself") {
  check({
      {"topics: [{match: \">\", redact: {members: [/id]}}]",
       R"(t.yaml:1:42: topics.redact.members: "/id" takes along the key /id of command-progress.*, which the topic tells all the same: name other members, or make another member the key)"},
      {"topics: [{match: command-progress.7, redact: {members: [/id]}}]",
       R"(t.yaml:1:57: topics.redact.members: "/id" takes along the key /id of command-progress.*, which the topic tells all the same: name other members, or make another member the key)"},
      {"topics: [{match: \"command-progress.>\"}, {match: \">\", redact: {members: [/id]}}]", "ok"},
      {"topics: [{match: \"job.*\", redact: {members: [/id]}}]", "ok"},
      {"topics: [{match: \"a.*\", key: /x}, {match: \"a.b\", redact: {members: [/x]}}]", "ok"},
  });
}

TEST_CASE("redactions may differ in 64 scopes") {
  std::string topics = "topics:\n";
  for (int i = 0; i < 64; ++i)
    topics += "- {match: a, redact: {members: [/b], unless: n" + std::to_string(i) + "}}\n";
  CHECK(error_of(topics) == "ok");
  CHECK(error_of(topics + "- {match: a, redact: {members: [/b]}}\n") ==
        "t.yaml:2:1: topics: redact unless over 64 different scopes: let more of them share one");
}

TEST_CASE("topics are bounded, and so are their keys") {
  std::string topics = "topics:\n";
  for (int i = 0; i < 61; ++i)
    topics += "- {match: t" + std::to_string(i) + ", key: /k" + std::to_string(i) + "}\n";
  CHECK(error_of(topics) ==
        "t.yaml:2:1: topics: have over 64 different keys with the built-in ones: let more of them share one");
  topics = "topics:\n";
  for (int i = 0; i < 257; ++i) topics += "- {match: t" + std::to_string(i) + "}\n";
  CHECK(error_of(topics) == "t.yaml:2:1: topics: has more than 256 items");
}

TEST_CASE("lists are bounded") {
  std::string listen = "listen:\n", bind = "ingest: {bind: [ipc:///a", variable = "ipc:///a";
  for (int i = 0; i < 17; ++i) listen += "- {port: 0}\n";
  for (int i = 0; i < 64; ++i) bind += ", ipc:///a", variable += ",ipc:///a";
  CHECK(error_of(listen) == "t.yaml:2:1: listen: has more than 16 items");
  CHECK(error_of(bind + "]}") == "t.yaml:1:657: ingest.bind: is one too many: at most 64");
  CHECK(error_of("", {{"TRESTLE_INGEST_BIND", variable}}) ==
        "TRESTLE_INGEST_BIND: is one too many: at most 64");
}

TEST_CASE("only plain YAML is read") {
  check({
      {"shards: 1\nshards: 2", R"(t.yaml:2:1: duplicate key "shards" (first given on line 1))"},
      {"log: {level: info, level: info}", R"(t.yaml:1:20: duplicate key "level" (first given on line 1))"},
      {"shards: &a 1\nlog: *a", "t.yaml:2:6: aliases (*name) are not supported: write the value out"},
      {"shards: !!int 1", "t.yaml:1:9: tags (!name) are not supported: leave it out"},
      {"? [a]\n: 1", "t.yaml:1:3: a key must be a word"},
      {"shards: 1\n---\nshards: 2", "t.yaml:2:1: a second document starts here: one file, one document"},
      {std::string("shards: 1\0", 10),
       "t.yaml:1:10: not text: a control character, or a byte that is not UTF-8"},
      {"log: {}\nstream: {path: \xff}",
       "t.yaml:2:16: not text: a control character, or a byte that is not UTF-8"},
      {"shards: 1\n\x04garbage", "t.yaml:2:1: not text: a control character, or a byte that is not UTF-8"},
      {"a: b: c", "t.yaml:1:5: not YAML: illegal map value"},
      {"log: {level: info\n", "t.yaml:2:1: not YAML: end of map flow not found"},
      {"log:\n\tlevel: info",
       "t.yaml:2:7: not YAML: illegal map value (this line is indented with a tab: use spaces)"},
      {std::string(20, '[') + std::string(20, ']'), "t.yaml:1:17: nested more than 16 deep"},
      {std::string(1024 * 1024 + 1, ' '), "t.yaml:1:1: over 1 MiB, too big for a configuration"},
      {"", "ok"},
      {"# nothing\n", "ok"},
      {"---\nshards: 1\n...\n", "ok"},
      {"\xef\xbb\xbfshards: 1\r\n", "ok"},
  });
}

TEST_CASE("a token is never shown") {
  const auto spaced = error_of("auth: {token: \"se cret\"}");
  CHECK(spaced ==
        "t.yaml:1:15: auth.token: a token is at most 255 printable ASCII characters without spaces (not "
        "shown here)");
  CHECK(error_of("", {{"TRESTLE_AUTH_TOKEN", "se cret"}}).find("cret") == std::string::npos);
}

TEST_CASE("an error from the environment names the variable") {
  CHECK(error_of("", {{"TRESTLE_LISTEN_PORT", "x"}}) ==
        "TRESTLE_LISTEN_PORT: \"x\" is not a whole number from 0 to 65535, in decimal without leading zeros");
  CHECK(
      error_of("", {{"TRESTLE_INGEST_MAX_EVENT", "5"}}) ==
      R"(TRESTLE_INGEST_MAX_EVENT: "5" has no unit: write "5KiB", or with another of GiB, MiB, KiB, GB, MB, KB, B)");
  CHECK(error_of("", {{"TRESTLE_INGEST_MAX_EVNT", "5KiB"}}) ==
        "TRESTLE_INGEST_MAX_EVNT: stands for no key that the environment can set (did you mean "
        "TRESTLE_INGEST_MAX_EVENT?)");
  CHECK(error_of("", {{"TRESTLE_TOPICS", "[]"}}) ==
        "TRESTLE_TOPICS: stands for no key that the environment can set (unset it, or set the key in the "
        "file)");
  CHECK(error_of("", {{"TRESTLE_INGEST_BIND", "tcp://127.0.0.1:1,,"}})
            .rfind("TRESTLE_INGEST_BIND: \"\" is not", 0) == 0);
  CHECK(error_of("", {{"TRESTLE_STREAM_PATH", "a\nb"}}) ==
        "TRESTLE_STREAM_PATH: holds a line end or a control character");
  CHECK(error_of("", {{"TRESTLE_URL", "x"}, {"TRESTLE_TOKEN", "y"}}) == "ok");
}

TEST_CASE("tokens: what could not work, or is a slip, is refused") {
  check({
      {"auth: {accept: []}",
       "t.yaml:1:16: auth.accept: is empty, so that nobody could show a token: name at least one of query, "
       "header, "
       "subprotocol, message, or say auth.enabled: false"},
      {"auth: {accept: [cookie]}",
       "t.yaml:1:17: auth.accept: \"cookie\" is not one of query, header, subprotocol, message"},
      {"auth: {jwt: {keys: [{file: a}]}}",
       "t.yaml:1:21: auth.jwt.keys: needs an algorithm, such as RS256: the one its tokens are signed with"},
      {"auth: {jwt: {keys: [{algorithm: RS256}]}}",
       "t.yaml:1:21: auth.jwt.keys: needs a file: a PEM public key, or for HS256 to HS512 the secret"},
      {"auth: {jwt: {keys: [{kid: a, algorithm: RS256, file: a}, {kid: a, algorithm: ES256, file: b}]}}",
       "t.yaml:1:58: auth.jwt.keys: \"a\" is the kid of another key: give each its own"},
      {"auth: {jwt: {keys: [{algorithm: RS256, file: a}, {algorithm: RS256, file: b}]}}",
       "t.yaml:1:50: auth.jwt.keys: is the second key without a kid for one algorithm: give each a kid"},
      {"auth: {jwt: {scopes: [reed]}}",
       "t.yaml:1:23: auth.jwt.scopes: unknown scope \"reed\" (admin, read, publish, command or see; "
       "read:task.> names "
       "a pattern, see:secrets what policies redact unless: secrets)"},
  });
  for (const auto* name : {"none", "None", "rs256", "ES256K"}) {
    const auto line = error_of("auth: {jwt: {keys: [{algorithm: " + std::string(name) + ", file: a}]}}");
    CHECK(line.find("is not one of HS256, HS384") != std::string::npos);
  }
  CHECK(error_of("auth: {enabled: false, accept: []}") == "ok");
}
