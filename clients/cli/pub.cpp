#include "clients/cli/pub.h"

#include <unistd.h>

#include <iostream>
#include <memory>

#include "clients/cli/event_input.h"
#include "clients/cli/event_sink.h"
#include "clients/cli/line_reader.h"
#include "clients/cli/stop_signal.h"
#include "proto/topic.h"

namespace trestle::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Longer than any event may be, so that the checker says what is wrong with it.
constexpr std::size_t kMaxLine = 1024 * 1024;

/// "12,000 events, 48,000/s" on a terminal, twice a second.
class Progress {
 public:
  Progress() : shown_(isatty(STDERR_FILENO) != 0 && isatty(STDIN_FILENO) == 0) {}
  ~Progress() {
    if (visible_) std::cerr << "\r\033[K";
  }
  void count() {
    ++events_;
    const auto now = Clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(500);
    visible_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::cerr << "\r\033[K" << events_ << " events, "
              << static_cast<std::uint64_t>(static_cast<double>(events_) / std::max(seconds, 0.001)) << "/s"
              << std::flush;
  }

 private:
  const bool shown_;
  bool visible_ = false;
  std::uint64_t events_ = 0;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::milliseconds(500);
};

std::string default_id() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string pid = "-" + std::to_string(getpid());
  return clean_id("cli-" + std::string(host)).substr(0, 64 - pid.size()) + pid;
}

// A wrong key or file is wrong usage.
std::string public_key(const std::string& option, const std::string& key_or_file) {
  try {
    return public_key_of(key_or_file);
  } catch (const std::invalid_argument& error) {
    throw Failure(Exit::usage, option + ": " + error.what());
  }
}

std::vector<BridgeAddress> bridges_of(const PubOptions& options) {
  std::vector<BridgeAddress> bridges;
  for (std::size_t i = 0; i < options.events.size(); ++i) {
    BridgeAddress bridge;
    bridge.events = options.events[i];
    if (i < options.control.size()) bridge.control = options.control[i];
    if (!options.curve_server.empty())
      bridge.server_key = public_key("--curve-server", options.curve_server[i]);
    if (!options.curve_bus.empty()) bridge.bus_key = public_key("--curve-bus", options.curve_bus);
    bridges.push_back(std::move(bridge));
  }
  return bridges;
}

ProducerOptions producer_options(const PubOptions& options) {
  ProducerOptions out;
  out.id = options.id.empty() ? default_id() : options.id;
  out.when_full = WhenFull::fail;
  out.bridges = bridges_of(options);
  out.key_file = options.curve_key;
  return out;
}

void check(const PubOptions& options) {
  if (!options.no_ack && options.events.size() != options.control.size()) {
    throw Failure(Exit::usage, "every bridge needs one --events and one --control address");
  }
  const auto keys = options.curve_server.size();
  if (keys != 0 && keys != options.events.size()) {
    throw Failure(Exit::usage, "every bridge needs its --curve-server, as often as --events");
  }
  if (options.curve_key.empty() != (keys == 0 && options.curve_bus.empty())) {
    throw Failure(Exit::usage,
                  "CURVE needs --curve-key, our own pair, and --curve-server, the bridge's public key");
  }
  if (!options.topic.empty() && !is_topic(options.topic)) {
    throw Failure(Exit::usage,
                  "\"" + options.topic +
                      "\" is not a topic: segments of A-Z a-z 0-9 _ - joined by dots, other bytes as %XX");
  }
}

Exit publish_line(const std::string& text, const std::string& where, EventInput& input, EventSink& sink,
                  Progress& progress) {
  if (const auto problem = input.problem(text)) {
    std::cerr << "trestle pub: " << where << *problem << "\n";
    return Exit::usage;
  }
  sink.publish(text);
  progress.count();
  return Exit::ok;
}

Exit publish_lines(const StopSignal& stop, EventInput& input, EventSink& sink) {
  Exit result = Exit::ok;
  Progress progress;
  LineReader lines(STDIN_FILENO, stop.fd(), kMaxLine);
  while (const auto line = lines.next()) {
    if (line->text.find_first_not_of(" \t") == std::string::npos) continue;
    const Exit one =
        publish_line(line->text, "line " + std::to_string(line->number) + ": ", input, sink, progress);
    if (one != Exit::ok) result = one;
  }
  return result;
}

}  // namespace

std::string clean_id(std::string text) {
  for (char& c : text) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!fine) c = '-';
  }
  return text.substr(0, 64);
}

Exit run_pub(const PubOptions& options) {
  check(options);
  const StopSignal stop;
  EventInput input(options.topic);
  const std::chrono::milliseconds timeout(options.timeout_ms);
  // One bad event needs no connection to be refused.
  if (options.event != "-") {
    if (const auto problem = input.problem(options.event)) throw Failure(Exit::usage, *problem);
  }
  std::unique_ptr<EventSink> sink = options.no_ack
                                        ? plain_sink(producer_options(options), options.topic, timeout, stop)
                                        : acked_sink(producer_options(options), options.topic, timeout, stop);
  Exit result = Exit::ok;
  if (options.event == "-") {
    result = publish_lines(stop, input, *sink);
  } else {
    sink->publish(options.event);
  }
  sink->finish();
  if (stop.requested()) throw Failure(Exit::failed, "stopped before the end of the input");
  return result;
}

}  // namespace trestle::cli
