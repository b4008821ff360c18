#include "clients/cli/tail.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "clients/cli/incoming.h"
#include "clients/cli/output.h"
#include "clients/cli/pretty.h"
#include "clients/cli/reconnect.h"
#include "clients/cli/target.h"
#include "clients/cli/topics.h"
#include "clients/cli/websocket_client.h"

namespace trestle::cli {
namespace {

using std::chrono::milliseconds;

// Before the welcome says how often the bridge gives a sign of life.
constexpr milliseconds kFirstHeartbeat{30'000};

std::function<double()> random_source() {
  return [engine = std::mt19937(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

class Tail {
 public:
  explicit Tail(const TailOptions& options)
      : options_(options),
        topics_(joined_topics(options.patterns)),
        target_(target_of(options)),
        pretty_(options.format == TailOptions::Format::pretty ||
                (options.format == TailOptions::Format::automatic && isatty(STDOUT_FILENO) != 0)),
        output_(stop_) {}

  Exit run() {
    for (;;) {
      const Ended ended = connect();
      flush();
      if (done_ || stop_.requested()) return Exit::ok;
      const Next next = reconnect_.after(ended);
      if (!next.again) throw Failure(next.code, next.message);
      if (!next.cursor.empty()) reader_.set_cursor(next.cursor);
      say(next.message + "; trying again in " + seconds(next.wait));
      if (stop_.wait_for(next.wait)) return Exit::ok;
    }
  }

 private:
  static Target target_of(const TailOptions& options) {
    auto target = parse_target(options.url);
    if (!target) throw Failure(Exit::usage, target.error().message);
    if (!options.token.empty()) target->token = options.token;
    return std::move(*target);
  }

  static std::string seconds(milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1000.0);
    return text;
  }

  static void say(const std::string& text) { std::cerr << "trestle tail: " << harmless(text) << std::endl; }

  Ended connect() {
    Query query{{"meta", "1"}};
    if (!options_.patterns.empty()) query.emplace_back("topics", topics_);
    const std::string& since = reader_.cursor().empty() ? options_.since : reader_.cursor();
    if (!since.empty()) query.emplace_back("since", since);
    const WebSocketRequest request{websocket_url(target_, query), target_.token, options_.ca_file};
    heartbeat_ = kFirstHeartbeat;
    return run_websocket(
        request, stop_,
        {[this](std::string_view message) { return take(message); }, [this] { return flush(); },
         // Two signs of life may be missed.
         [this] { return heartbeat_ * 2 + milliseconds(10'000); }});
  }

  bool take(std::string_view message) {
    const Incoming in = reader_.read(message);
    switch (in.kind) {
      case Incoming::Kind::event: return print(in, message);
      case Incoming::Kind::welcome:
        reconnect_.succeeded();
        heartbeat_ = in.heartbeat;
        break;
      case Incoming::Kind::drain: reconnect_.drained(in.after, in.spread); break;
      case Incoming::Kind::gap: say("gap: " + in.text); break;
      case Incoming::Kind::error: say("the bridge says " + in.text); break;
      default: break;
    }
    return true;
  }

  bool print(const Incoming& in, std::string_view message) {
    std::string line;
    if (pretty_) {
      line = pretty_line(in.topic, in.time, in.payload, style());
    } else {
      line = options_.meta ? on_one_line(message) : in.payload;
    }
    line += '\n';
    done_ = !output_.add(line) || ++printed_ == options_.count;
    return !done_;
  }

  bool flush() {
    done_ = !output_.flush() || done_;
    return !done_;
  }

  static std::string on_one_line(std::string_view message) {
    std::string line(message);
    for (char& c : line) {
      if (c == '\n' || c == '\r') c = ' ';
    }
    return line;
  }

  static PrettyStyle style() {
    PrettyStyle style;
    if (isatty(STDOUT_FILENO) == 0) return style;
    winsize size = {};
    style.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    const char* no_colour = std::getenv("NO_COLOR");
    style.colour = no_colour == nullptr || *no_colour == '\0';
    return style;
  }

  const TailOptions& options_;
  const std::string topics_;
  const Target target_;
  const bool pretty_;
  StopSignal stop_;
  Output output_;
  IncomingReader reader_;
  Reconnect reconnect_{random_source()};
  milliseconds heartbeat_ = kFirstHeartbeat;
  std::uint64_t printed_ = 0;
  bool done_ = false;
};

}  // namespace

Exit run_tail(const TailOptions& options) { return Tail(options).run(); }

}  // namespace trestle::cli
