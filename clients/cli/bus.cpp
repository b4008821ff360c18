#include "clients/cli/bus.h"

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "bridge/config/address.h"
#include "bridge/ingest/curve_files.h"
#include "bridge/ingest/zap.h"
#include "bridge/ingest/zmq_bind.h"
#include "bridge/log/log.h"
#include "clients/cli/bus_gate.h"
#include "clients/cli/stop_signal.h"

namespace trestle::cli {
namespace {

// A bridge may be this many events behind before ZeroMQ drops; sequenced events are repaired over the control
// socket.
constexpr int kHwm = 100'000;
// Events passed on before subscriptions and signals get their turn.
constexpr int kBurst = 1'000;

std::atomic<bool> counters_wanted{false};
std::atomic<bool> reload_wanted{false};

void on_signal(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

struct Counters {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t subscriptions = 0;
};

constexpr const char* kBridgesDomain = "trestle-bridges";

void check(const BusOptions& options) {
  const auto given =
      !options.curve_key.empty() + !options.curve_producers.empty() + !options.curve_bridges.empty();
  if (given == 0 || given == 3) return;
  throw Failure(
      Exit::usage,
      "CURVE needs all of --curve-key, --curve-producers and --curve-bridges; trestle keygen makes keys");
}

class Bus {
 public:
  explicit Bus(const BusOptions& options) : curve_(!options.curve_key.empty()) {
    if (curve_) use_curve(options);
    front_ = open(zmq::socket_type::xsub, kZapDomain, "--front", options.front, options.insecure);
    back_ = open(zmq::socket_type::xpub, kBridgesDomain, "--back", options.back, options.insecure);
  }

  void run() {
    std::cerr << "trestle bus: producers at " << front_.get(zmq::sockopt::last_endpoint) << ", bridges at "
              << back_.get(zmq::sockopt::last_endpoint) << std::endl;
    while (!stop_.requested()) {
      wait();
      if (curve_ && reload_wanted.exchange(false)) zap_->reload();
      if (gate_) gate_->refresh();
      for (int i = 0; i < kBurst && (gate_ ? pass_checked() : pass(front_, back_, &counters_)); ++i) {
      }
      while (pass(back_, front_, nullptr)) ++counters_.subscriptions;
      if (gate_) gate_->report(std::cerr);
      if (counters_wanted.exchange(false)) print();
    }
    print();
  }

 private:
  // Before any socket is bound: without a handler libzmq takes whatever key comes.
  void use_curve(const BusOptions& options) {
    const auto opened = [](const std::string& option, const std::string& file) {
      auto list = ProducerWatch::open(file);
      if (!list) throw Failure(Exit::usage, option + ": " + list.error().message);
      return std::shared_ptr<ProducerWatch>(std::move(*list));
    };
    auto keys = load_key_pair(options.curve_key);
    if (!keys) throw Failure(Exit::usage, "--curve-key: " + keys.error().message);
    secret_key_ = keys->secret_key;
    const auto producers = opened("--curve-producers", options.curve_producers);
    const auto bridges = opened("--curve-bridges", options.curve_bridges);
    zap_ = std::make_unique<ZapHandler>(
        context_, std::vector<ZapHandler::Domain>{{kZapDomain, producers}, {kBridgesDomain, bridges}});
    gate_ = std::make_unique<BusGate>(producers);
  }

  zmq::socket_t open(zmq::socket_type type, const char* domain, const std::string& option,
                     const std::string& address, bool insecure) {
    if (auto parsed = parse_zmq_address(address, ZmqSide::bind); !parsed) {
      throw Failure(Exit::usage, option + ": " + parsed.error().message);
    }
    if (!insecure && !curve_ && !is_local_zmq_address(address)) {
      throw Failure(Exit::usage,
                    option + " " + address +
                        " can be reached from other machines, and anybody there could publish; turn on "
                        "CURVE (--curve-key), use 127.0.0.1 or ipc://, or say --insecure");
    }
    zmq::socket_t socket(context_, type);
    socket.set(zmq::sockopt::linger, 500);
    socket.set(zmq::sockopt::rcvhwm, kHwm);
    socket.set(zmq::sockopt::sndhwm, kHwm);
    socket.set(zmq::sockopt::heartbeat_ivl, 2'000);
    socket.set(zmq::sockopt::heartbeat_timeout, 6'000);
    // Told to peers, for those that have no heartbeats of their own.
    socket.set(zmq::sockopt::heartbeat_ttl, 10'000);
    if (curve_) serve_curve(socket, secret_key_, domain);
    auto lock = bind_zmq(socket, address);
    if (!lock) throw Failure(Exit::usage, option + " " + address + ": " + lock.error().message);
    locks_.push_back(std::move(*lock));
    return socket;
  }

  void wait() {
    zmq::pollitem_t items[] = {{nullptr, stop_.fd(), ZMQ_POLLIN, 0},
                               {front_.handle(), 0, ZMQ_POLLIN, 0},
                               {back_.handle(), 0, ZMQ_POLLIN, 0}};
    try {
      // SIGUSR1 can come between the look at its flag and the poll; a second later it is seen anyway.
      zmq::poll(items, 3, std::chrono::milliseconds(1'000));
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }

  /// One whole message, if there is one.
  static bool pass(zmq::socket_t& from, zmq::socket_t& to, Counters* counters) {
    zmq::message_t frame;
    if (!from.recv(frame, zmq::recv_flags::dontwait)) return false;
    if (counters != nullptr) ++counters->events;
    for (bool more = true; more;) {
      more = frame.more();
      if (counters != nullptr) counters->bytes += frame.size();
      (void)to.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
      if (more) (void)from.recv(frame, zmq::recv_flags::none);
    }
    return true;
  }

  /// One whole message of a producer's, if there is one and its key allows it.
  bool pass_checked() {
    std::vector<zmq::message_t> frames;
    do {
      frames.emplace_back();
      if (!front_.recv(frames.back(), zmq::recv_flags::dontwait)) return false;
      // More frames than any message has are only counted; what is kept of them is the last.
      if (frames.size() > BusGate::kMostFrames) frames.erase(frames.end() - 2);
    } while (frames.back().more());
    if (!gate_->lets_through(frames)) return true;
    ++counters_.events;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      counters_.bytes += frames[i].size();
      const bool more = i + 1 < frames.size();
      (void)back_.send(frames[i], more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
    return true;
  }

  void print() const {
    std::cerr << "trestle bus: " << counters_.events << " events, " << counters_.bytes << " bytes, "
              << counters_.subscriptions << " subscription changes";
    if (gate_) {
      std::cerr << ", " << gate_->refused() << " messages and " << zap_->refused() << " connections refused";
    }
    std::cerr << std::endl;
  }

  const StopSignal stop_;
  std::vector<IpcLock> locks_;  // before the context, so that they outlive it
  zmq::context_t context_{1};
  const bool curve_;
  std::string secret_key_;
  std::unique_ptr<ZapHandler> zap_;
  std::unique_ptr<BusGate> gate_;
  zmq::socket_t front_;
  zmq::socket_t back_;
  Counters counters_;
};

}  // namespace

Exit run_bus(const BusOptions& options) {
  check(options);
  log::start({});  // refused connections are told there, at most once a second
  on_signal(SIGUSR1, [](int) { counters_wanted = true; });
  // Without CURVE there is nothing to read again, and a closed terminal ends the bus as ever.
  if (!options.curve_key.empty()) on_signal(SIGHUP, [](int) { reload_wanted = true; });
  Bus(options).run();
  return Exit::ok;
}

}  // namespace trestle::cli
