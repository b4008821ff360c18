#include "clients/cli/program.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "bridge/version.h"
#include "clients/cli/completion.h"
#include "clients/cli/option_values.h"

namespace trestle::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  all went well\n"
    "  1  failed at run time\n"
    "  2  wrong usage, input or configuration\n"
    "  3  not acked in time\n"
    "  4  refused by the bridge: token, scope or producer id\n";

constexpr const char* kDefaultUrl = "ws://localhost:3001/";

Micros now_micros() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

constexpr std::uint64_t kDay = 86'400'000;  // ms
constexpr std::uint64_t kMostEvents = 1'000'000'000;

void add_target(CLI::App& app, std::string& url, std::string& token, std::string& ca_file) {
  url = kDefaultUrl;
  app.add_option("--url", url, "address of the bridge; the one it prints on its first start will do")
      ->envname("TRESTLE_URL")
      ->capture_default_str();
  app.add_option(
         "--token", token,
         "access token; better in the environment: others can see it here until the program has started")
      ->envname("TRESTLE_TOKEN");
  takes_file(
      app.add_option("--cacert", ca_file, "PEM file with the certificates to trust instead of the system's"));
}

}  // namespace

Program::Program() : app_("Publish to a Trestle event bridge and watch what comes out.", "trestle") {
  app_.set_version_flag("--version", "trestle " + std::string(kVersion));
  app_.require_subcommand(1);
  app_.option_defaults()->disable_flag_override();  // --json=anything
  app_.footer(std::string("Examples:\n"
                          "  trestle pub '{\"type\":\"hello\"}'\n"
                          "  trestle tail 'command-progress.*'\n"
                          "  trestle tail --help\n\n") +
              kExitCodes);
  add_pub();
  add_tail();
  add_status();
  add_bench();
  add_bus();
  add_token();
  add_keygen();
  add_completion();
}

void Program::add_pub() {
  CLI::App* sub = app_.add_subcommand("pub", "publish one event, or one a line from standard input");
  sub->add_option("event", pub_.event,
                  "a JSON object with a string member \"type\"; - or nothing: standard input");
  repeatable(sub->add_option("--events", pub_.events, "event socket of a bridge; repeat it for several"))
      ->capture_default_str();
  repeatable(
      sub->add_option("--control", pub_.control, "control socket of the same bridge; as often as --events"))
      ->capture_default_str();
  sub->add_option("--id", pub_.id, "producer id; default: cli-<host>-<pid>");
  sub->add_option("--topic", pub_.topic, "publish to this topic; default: the bridge makes it");
  sub->add_flag("--no-ack", pub_.no_ack, "send the plain form, at most once, and wait for no ack");
  sub->add_option("--curve-key", pub_.curve_key, "CURVE: our key pair, made by trestle keygen");
  repeatable(sub->add_option("--curve-server", pub_.curve_server,
                             "CURVE: public key of the bridge, or its FILE.pub; as often as --events"));
  sub->add_option("--curve-bus", pub_.curve_bus,
                  "CURVE: public key of the bus that --events names, or its FILE.pub");
  takes_duration(sub->add_option("--timeout", pub_.timeout_ms,
                                 "how long to wait for acks, or for a bridge with --no-ack; default 10s"),
                 kDay);
  sub->footer(std::string("Every event is checked here first; lines that are none are named and left out.\n"
                          "Exits with 0 only when a bridge has everything.\n\n"
                          "Examples:\n"
                          "  trestle pub '{\"type\":\"queue-update\",\"waiting\":[]}'\n"
                          "  jq -c '.[]' events.json | trestle pub --id importer --timeout 1m\n"
                          "  trestle pub --no-ack --events tcp://127.0.0.1:5555 '{\"type\":\"hello\"}'\n\n") +
              kExitCodes);
  sub->callback([this] { action_ = [this] { return run_pub(pub_); }; });
}

void Program::add_tail() {
  using Format = TailOptions::Format;
  CLI::App* sub = app_.add_subcommand("tail", "print events as they come");
  sub->add_option(
      "pattern", tail_.patterns,
      "topics to watch: * is one segment, a final > one or more; default: all that the token may read");
  add_target(*sub, tail_.url, tail_.token, tail_.ca_file);
  sub->add_option("--since", tail_.since, "begin at this cursor, <epoch>:<offset>, or 0 for everything kept");
  takes_number(sub->add_option("--count", tail_.count, "end after this many events"), 1, kMostEvents);
  const auto set_format = [this](const std::string& word) {
    tail_.format = word == "pretty" ? Format::pretty : Format::ndjson;
  };
  takes_one_of(
      sub->add_option_function<std::string>(
          "--format", set_format, "pretty or ndjson; default: pretty on a terminal, ndjson elsewhere"),
      {"pretty", "ndjson"});
  sub->add_flag("--meta", tail_.meta, "ndjson: print the whole envelope with topic, offset and time");
  sub->footer(
      std::string(
          "Comes back by itself after trouble, where it was. Set NO_COLOR to do without colours.\n\n"
          "Examples:\n"
          "  trestle tail\n"
          "  trestle tail 'command-progress.*' task-finished.'>'\n"
          "  trestle tail --count 1 queue-update | jq .\n"
          "  TRESTLE_URL=wss://bridge.example/ TRESTLE_TOKEN=... trestle tail --meta > log.ndjson\n\n") +
      kExitCodes);
  sub->callback([this] { action_ = [this] { return run_tail(tail_); }; });
}

void Program::add_status() {
  CLI::App* sub = app_.add_subcommand(
      "status", "show sessions, producers, topics and rates of a bridge, as far as the token may see them");
  add_target(*sub, status_.url, status_.token, status_.ca_file);
  sub->add_flag("--json", status_.json, "print the bridge's answer as it is");
  sub->footer(std::string("Examples:\n"
                          "  trestle status\n"
                          "  trestle status --json | jq .data.rates\n\n") +
              kExitCodes);
  sub->callback([this] { action_ = [this] { return run_status(status_); }; });
}

void Program::add_bench() {
  CLI::App* sub = app_.add_subcommand("bench", "measure how fast a bridge delivers, with many clients");
  sub->add_option("pattern", bench_.patterns,
                  "only listening: topics to get; default: all that the token may read");
  add_target(*sub, bench_.url, bench_.token, bench_.ca_file);
  sub->add_option("--events", bench_.events,
                  "publish there, for example tcp://127.0.0.1:5556; default: only listen");
  const auto number = [&](const char* name, auto& value, const char* about, std::uint64_t least,
                          std::uint64_t most) {
    takes_number(sub->add_option(name, value, about), least, most)->capture_default_str();
  };
  number("--clients", bench_.clients, "how many to connect", 1, 1'000'000);
  number("--count", bench_.count, "events to publish", 1, kMostEvents);
  number("--size", bench_.size, "bytes of an event", 80, 64 * 1024 * 1024);
  number("--rate", bench_.rate, "events a second, 0 for as fast as they go", 0, 1'000'000);
  takes_duration(sub->add_option("--for", bench_.for_ms, "only listening: for how long; default: 10s"), kDay);
  sub->add_flag("--json", bench_.json, "print the figures as JSON");
  sub->footer(
      std::string("With --events, publishes events of type trestle-bench, which other clients of the bridge\n"
                  "get too, and measures from the publishing to the clients' hands. One event goes before,\n"
                  "unmeasured. Exits with 0 only when every client got every event.\n\n"
                  "Examples:\n"
                  "  trestle bench --events tcp://127.0.0.1:5556\n"
                  "  trestle bench --events tcp://127.0.0.1:5556 --clients 1000 --rate 0 --json\n"
                  "  trestle bench --clients 50 --for 1m 'command-progress.*'\n\n") +
      kExitCodes);
  sub->callback([this] { action_ = [this] { return run_bench(bench_); }; });
}

void Program::add_bus() {
  CLI::App* sub = app_.add_subcommand("bus", "one address where many producers and many bridges meet");
  sub->add_option("--front", bus_.front, "producers connect their PUB here")->capture_default_str();
  sub->add_option("--back", bus_.back, "bridges connect here (ingest.connect)")->capture_default_str();
  sub->add_flag("--insecure", bus_.insecure,
                "allow addresses that other machines or users can reach, without CURVE");
  sub->add_option("--curve-key", bus_.curve_key, "CURVE: the bus's key pair, made by trestle keygen");
  sub->add_option("--curve-producers", bus_.curve_producers, "CURVE: list of the producers that may publish");
  sub->add_option("--curve-bridges", bus_.curve_bridges, "CURVE: list of the bridges that may connect");
  sub->footer(
      std::string(
          "Only events pass through; producers still connect to each bridge's control socket for acks and\n"
          "repair. Counters are printed at the end and on SIGUSR1.\n\n"
          "With CURVE only listed keys may connect; both lists look like ingest.curve.producers_file, and "
          "are\n"
          "read again within a second of a change, and on SIGHUP. A producer whose key allows certain "
          "topics\n"
          "only must name the whole topic of each event: the bus does not know your policies.\n\n"
          "Examples:\n"
          "  trestle bus\n"
          "  trestle bus --front ipc:///run/trestle/front --back ipc:///run/trestle/back\n"
          "  trestle bus --front tcp://*:5555 --back tcp://*:5558 --curve-key bus.key \\\n"
          "      --curve-producers producers.yaml --curve-bridges bridges.yaml\n\n") +
      kExitCodes);
  sub->callback([this] { action_ = [this] { return run_bus(bus_); }; });
}

void Program::add_token() {
  CLI::App* sub = app_.add_subcommand("token", "make, list and revoke access tokens");
  sub->require_subcommand(1);
  sub->footer(
      std::string(
          "Examples:\n"
          "  trestle token create --name dashboard --scope 'read:task.>' --expires 30d\n"
          "  trestle token list --file /etc/trestle/tokens.yaml\n"
          "  trestle token create --name worker-7 --scope 'read:task.{sub}.>'\n"
          "  trestle token revoke --name dashboard\n"
          "  trestle token revoke --jti 7d2c91ab               one JWT, by its id\n"
          "  trestle token revoke --subject alice              her JWTs that were issued until now\n\n"
          "Scopes:\n"
          "  read, publish, command     everything but the bridge's own topics ($sys)\n"
          "  read:PATTERN               the topics that match; so too publish and command.\n"
          "                             * is one segment, a final > one or more,\n"
          "                             {sub} the token's own name, or `sub` of a JWT, as one segment\n"
          "  see, see:NAME              what policies redact, or redact unless: NAME\n"
          "  admin                      the bridge's own topics and status\n\n") +
      kExitCodes);
  CLI::App* create = sub->add_subcommand("create", "make a token, store its hash and print it once");
  CLI::App* list = sub->add_subcommand("list", "show the tokens of a file");
  CLI::App* revoke = sub->add_subcommand("revoke", "take a token out of a file, or revoke JWTs");
  for (CLI::App* one : {create, list, revoke}) {
    one->add_option("--file", token_.file, "token file of the bridge (auth.tokens_file)")
        ->capture_default_str();
  }
  takes_text(create->add_option("--name", token_.name, "what the token is called in logs and lists"))
      ->required();
  CLI::Option_group* which = revoke->add_option_group("which", "exactly one of these");
  takes_text(which->add_option("--name", token_.name, "the token of that name in the token file"));
  takes_text(which->add_option("--jti", token_.jti, "the JWT with that id (its claim jti)"));
  auto* subject = takes_text(which->add_option(
      "--subject", token_.subject, "the JWTs of that subject (their claim sub); '*': everybody's"));
  which->require_option(1);
  takes_text(
      revoke->add_option(
          "--issued-before", token_.issued_before,
          "with --subject: those issued (claim iat) before then, such as 2027-01-01T00:00:00Z (so much "
          "later as the issuer's clock may be ahead); default: until now"))
      ->needs(subject);
  revoke->add_option("--revoked-file", token_.revoked_file, "file of revoked JWTs (auth.revoked_file)")
      ->capture_default_str();
  repeatable(create->add_option(
                 "--scope", token_.scopes,
                 "read, publish or command, each with :PATTERN if wanted; see or see:NAME, what policies "
                 "redact; or admin; repeatable"))
      ->capture_default_str();
  takes_duration(create->add_option("--expires", token_.expires_ms,
                                    "for how long it is valid, for example 30d; default: for ever"),
                 36'500 * kDay);
  create->callback([this] { action_ = [this] { return create_token(token_, now_micros()); }; });
  list->callback([this] { action_ = [this] { return list_tokens(token_, now_micros()); }; });
  revoke->callback([this] { action_ = [this] { return revoke_token(token_, now_micros()); }; });
}

void Program::add_keygen() {
  CLI::App* sub = app_.add_subcommand("keygen", "make a CURVE key pair for a bridge, a bus or a producer");
  sub->add_option("file", keygen_.file, "where the pair goes; FILE.pub gets the public key")
      ->capture_default_str();
  sub->add_option("--name", keygen_.name, "what its holder is called; default: the file's name");
  repeatable(sub->add_option(
      "--id", keygen_.ids,
      "producer id that it may go by, perhaps with a * at the end; repeatable; default: any"));
  repeatable(sub->add_option("--topic", keygen_.topics,
                             "pattern of topics that it may publish; repeatable; default: all"));
  sub->add_flag("--force", keygen_.force, "replace files that are there");
  sub->footer(
      std::string(
          "FILE, the pair, is readable for its owner only: --curve-key of a producer or a bus, or\n"
          "ingest.curve.secret_key_file of a bridge. FILE.pub goes to whoever connects to its holder. What "
          "is\n"
          "printed goes into the list of those who may connect: a producer's under producers: in the\n"
          "bridge's ingest.curve.producers_file. A bridge that no bus must know needs no such line.\n\n"
          "Examples:\n"
          "  trestle keygen bridge.key                      # ingest.curve.secret_key_file: bridge.key\n"
          "  echo producers: > producers.yaml\n"
          "  trestle keygen worker-1.key --id worker-1 --topic 'command-progress.*' >> producers.yaml\n"
          "  trestle pub --curve-key worker-1.key --curve-server bridge.key.pub --id worker-1 '{...}'\n\n") +
      kExitCodes);
  sub->callback([this] { action_ = [this] { return run_keygen(keygen_); }; });
}

void Program::add_completion() {
  CLI::App* sub = app_.add_subcommand("completion", "print a completion script for a shell");
  sub->require_subcommand(1);
  sub->footer(
      "Examples:\n"
      "  source <(trestle completion bash)\n"
      "  trestle completion zsh > ~/.zfunc/_trestle\n"
      "  trestle completion fish > ~/.config/fish/completions/trestle.fish\n");
  for (const char* shell : {"bash", "zsh", "fish"}) {
    sub->add_subcommand(shell, std::string("for ") + shell)->callback([this, shell] {
      action_ = [this, shell] {
        std::cout << completion_script(app_, shell);
        return Exit::ok;
      };
    });
  }
}

}  // namespace trestle::cli
