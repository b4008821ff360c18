#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "bridge/auth/authority.h"
#include "bridge/auth/authority_watch.h"
#include "bridge/auth/process_list.h"
#include "bridge/check.h"
#include "bridge/config/config.h"
#include "bridge/core/clock.h"
#include "bridge/front/front.h"
#include "bridge/ingest/zmq_ingest.h"
#include "bridge/log/log.h"
#include "bridge/privileges.h"
#include "bridge/store/journaled_stream.h"
#include "bridge/store/memory_stream.h"
#include "bridge/store/private_file.h"
#include "bridge/version.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

constexpr int kStartFailed = 2;  // configuration, ports, files: one line on stderr says what to do
constexpr std::chrono::milliseconds kDrainPatience{3'000};
// Three looks tell a change at the latest, and a session looks at its token four times a second: revoked is
// over within a second.
constexpr std::chrono::milliseconds kLookEvery = FileWatch::kPatience / 2;

int fail(const Error& error) {
  std::fprintf(stderr, "trestled: %s\n", error.message.c_str());
  return kStartFailed;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> environment_names() {
  constexpr std::string_view kPrefix = "TRESTLE_";
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.substr(0, kPrefix.size()) == kPrefix) names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

// As many connections as the hard limit allows; nobody should have to know about ulimit to serve 10,000
// clients.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The only time that anybody sees the token: on standard output, past the log and past stdio's buffer.
void print_first_token(const std::string& url, const std::string& token, const std::filesystem::path& file) {
  const auto text = "Open this address once; it holds the only copy of a new token with all rights:\n\n    " +
                    url + "/?token=" + token + "\n\nIts hash is in " + file.string() +
                    ". More tokens: trestle token create --file " + file.string() + "\n\n";
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is there to see it
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Waits for signals and for changed token files: a change reads the tokens again, SIGHUP also certificate and
// producers' keys; SIGTERM and SIGINT end the bridge.
class Signals {
 public:
  /// `files`: those of the authority, taken before it read them, so that no change in between is missed.
  Signals(asio::io_context& main, Authority& authority, Front& front, AuthorityWatch files)
      : main_(main),
        authority_(authority),
        front_(front),
        signals_(main, SIGTERM, SIGINT, SIGHUP),
        looks_(main),
        files_(std::move(files)) {
    wait();
    look();
  }
  /// SIGHUP reaches it too from now on; it outlives the loop.
  void also_reload(ZmqIngest& ingest) { ingest_ = &ingest; }
  /// Token files were made by this process itself, which is no change that anybody has to be told of.
  Result<std::monostate> know_files() { return files_.know(authority_); }

 private:
  void wait() {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        front_.reload_tls();
        if (ingest_ != nullptr) ingest_->reload_producers();
        files_.reload(authority_);
        return wait();
      }
      log::info("draining", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      front_.drain();
      main_.stop();
    });
  }

  void look() {
    looks_.expires_after(kLookEvery);
    looks_.async_wait([this](const asio::error_code& error) {
      if (error) return;
      files_.look(authority_, std::chrono::steady_clock::now());
      look();
    });
  }

  asio::io_context& main_;
  Authority& authority_;
  Front& front_;
  ZmqIngest* ingest_ = nullptr;
  asio::signal_set signals_;
  asio::steady_timer looks_;
  AuthorityWatch files_;
};

Result<std::unique_ptr<Stream>> open_stream(const StreamSettings& settings, const PolicyTable& policies,
                                            Now now) {
  if (settings.path == ":memory:") return std::unique_ptr<Stream>(std::make_unique<MemoryStream>(now.wall));
  auto journaled = JournaledStream::open(settings, policies, now);
  if (!journaled) return Error{settings.place + journaled.error().message};
  return std::unique_ptr<Stream>(std::move(*journaled));
}

// What was kept goes to the shards, and what is known of producers to the spine; nobody else holds on to it.
void load_past(Stream& stream, Spine& spine, Front& front, Now now) {
  const auto past = stream.restore();
  spine.restore(past.producers, now);
  front.load(Batch{past.events, past.lost, stream.head(), stream.epoch(), !stream.trouble().empty()}, past);
}

// The bridge, from the downstream end up: each part gets the one it feeds. `token_file`: as in warnings_of().
int serve(Settings& settings, const std::filesystem::path& token_file) {
  std::signal(SIGPIPE,
              SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL; a peer that is gone is no end of ours
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow degrades the journal; it does not end the bridge
  raise_descriptor_limit();
  const auto started = read_clock();
  AuthorityWatch token_files(settings.auth);
  auto authority = Authority::make(settings.auth);
  if (!authority) return fail(authority.error());
  const auto warnings = warnings_of(settings, token_file);
  wipe(settings.auth.token);  // it knows the hash

  const PolicyTable policies(settings.topics);
  asio::io_context main;
  Front front(main, settings, **authority, policies);
  Signals signals(main, **authority, front, std::move(token_files));
  if (auto opened = front.open(); !opened) return fail(opened.error());
  // Only ports may need root. Files are opened by the user who will have to open them again.
  if (auto became = become(settings.user); !became) {
    return fail(Error{settings.user_place + became.error().message});
  }
  if (!settings.user.empty()) {
    if (auto readable = (*authority)->reload(); !readable) return fail(as_user(settings, readable.error()));
    if (auto readable = front.reopen_tls(); !readable) return fail(as_user(settings, readable.error()));
  }
  auto stream = open_stream(settings.stream, policies, started);
  if (!stream) return fail(stream.error());
  EventLimits limits;
  limits.max_bytes = settings.ingest.max_event;
  Spine spine(policies, limits, **stream);
  load_past(**stream, spine, front, started);
  ZmqIngest ingest(spine, front);
  if (auto opened = ingest.open(settings.ingest); !opened) return fail(opened.error());
  signals.also_reload(ingest);
  auto first_token = (*authority)->make_first_token(started.wall);
  if (!first_token) return fail(first_token.error());
  if (*first_token) {
    if (auto known = signals.know_files(); !known) return fail(known.error());
    print_first_token(front.url(), **first_token, settings.auth.tokens_file);
    wipe(**first_token);
    wipe_traces();
  }

  const auto epoch = (*stream)->epoch();  // before the spine starts: from then on the stream is its own
  const auto offset = (*stream)->head();
  front.start(ingest);
  ingest.start();
  log::info("ready", {{"version", kVersion}, {"url", front.url()}, {"epoch", *epoch}, {"offset", offset}});
  for (const auto& warning : warnings) log::warning(warning);
  if (const auto warning = (*authority)->warning()) log::warning(*warning);
  if (::geteuid() == 0) log::warning("running as root, which nothing here needs: set user");
  main.run();
  front.stop(kDrainPatience);
  ingest.stop();
  log::info("stopped");
  return EXIT_SUCCESS;
}

constexpr const char* kFooter =
    "Examples:\n"
    "  trestled                                 defaults: clients on localhost:3001, producers on "
    "127.0.0.1:5556\n"
    "  trestled -c trestle.yaml                 with a configuration; deploy/trestle.yaml explains every "
    "key\n"
    "  trestled -c trestle.yaml --check         says what is wrong with it or its files, and stops\n"
    "  TRESTLE_LISTEN_PORT=8080 trestled        any scalar key by environment: TRESTLE_SECTION_KEY\n\n"
    "Signals: SIGTERM and SIGINT drain and stop; SIGHUP reads the files of tokens, certificate, key and "
    "producers\nagain.\n"
    "Exit codes: 0 stopped as asked, 1 failed while running, 2 could not start.";

// No value is repeated: it may be a token.
std::string wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto left = app.remaining();
  if (left.empty()) return error.what();
  if (left.front().substr(0, 1) == "-")
    return "there is no option " + left.front().substr(0, left.front().find('='));
  return "it takes options only, a configuration behind -c";
}

int run(int argc, char** argv) {
  CLI::App app{"Trestle's bridge: events from ZeroMQ producers to WebSocket clients.", "trestled"};
  std::string file;
  bool check = false;
  bool print = false;
  app.add_option("-c,--config", file, "configuration file (YAML)")->type_name("FILE");
  app.add_flag("--check", check, "check the configuration and the files it names, and exit");
  app.add_flag("--print-config", print, "print the configuration in force and exit");
  app.set_version_flag("--version", "trestled " + std::string(kVersion));
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail({wrong_usage(app, error) + "; trestled --help lists what there is"});
  }

  auto settings = load_settings(file.empty() ? std::nullopt : std::optional<std::filesystem::path>(file),
                                environment, environment_names);
  if (!settings) return fail(settings.error());
  if (const auto later = id_of(settings->user)) accept_secrets_of(*later);
  const bool token_in_file =
      !file.empty() && !settings->auth.token.empty() && !environment("TRESTLE_AUTH_TOKEN");
  const std::filesystem::path token_file = token_in_file ? file : "";
  if (print) std::cout << print_settings(*settings);
  if (check) {
    const auto warnings = check_files(*settings, token_file);
    if (!warnings) return fail(warnings.error());
    for (const auto& warning : *warnings) std::cerr << "trestled: warning: " << warning << "\n";
    std::cout << "ok\n";
  }
  if (print || check) return EXIT_SUCCESS;
  wipe_variable("TRESTLE_AUTH_TOKEN");
  hide_client_variables();
  harden_process(settings->core_dumps);
  log::start(settings->log);
  return serve(*settings, token_file);
}

}  // namespace
}  // namespace trestle

int main(int argc, char** argv) {
  try {
    return trestle::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trestled: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
