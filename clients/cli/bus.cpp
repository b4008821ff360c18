#include "clients/cli/bus.h"

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <set>
#include <string>
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
// How often the list of bridges is looked at, and how long libzmq may take to give an address back.
constexpr std::chrono::milliseconds kLook{250};
constexpr std::chrono::milliseconds kUnbind{5'000};

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
      if (curve_) end_unlisted_bridges();
      if (gate_) gate_->refresh();
      for (int i = 0; i < kBurst && (gate_ ? pass_checked() : pass()); ++i) {
      }
      while (pass_subscription()) ++counters_.subscriptions;
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
    bridges_ = bridges;
    served_ = bridges->current();
    zap_ = std::make_unique<ZapHandler>(
        context_, std::vector<ZapHandler::Domain>{{kZapDomain, producers}, {kBridgesDomain, bridges}});
    gate_ = std::make_unique<BusGate>(producers);
  }

  zmq::socket_t open(zmq::socket_type type, const char* domain, const std::string& option,
                     const std::string& address, bool insecure) {
    if (auto parsed = parse_zmq_address(address, ZmqSide::bind); !parsed) {
      throw Failure(Exit::usage, option + ": " + parsed.error().message);
    }
    const auto danger = insecure || curve_ ? std::nullopt : danger_of_zmq_address(address);
    if (danger) {
      throw Failure(Exit::usage, option + " " + address + " " + *danger +
                                     ", turn on CURVE (--curve-key), or say --insecure if all of them are "
                                     "trusted");
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

  // libzmq asks who somebody is at the handshake only, and cannot end one connection of many. So all of them
  // end, and whoever is still listed comes back by itself at once.
  void end_unlisted_bridges() {
    const auto listed = bridges_->current();
    if (listed == served_) return;
    const bool lost_one = !listed->has_all_of(*served_);
    served_ = listed;
    if (!lost_one) return;
    const auto address = back_.get(zmq::sockopt::last_endpoint);
    unbind(back_, address);
    back_.close();
    locks_.pop_back();  // its own, for it was bound last
    back_ = open(zmq::socket_type::xpub, kBridgesDomain, "--back", address, false);
    log::info("a key was taken off the list of bridges, so all of them have to connect again");
  }

  // Returns when libzmq does not listen any more, which it does in the background. It would remove a path
  // that was bound again too soon.
  void unbind(zmq::socket_t& socket, const std::string& address) {
    constexpr const char* kEvents = "inproc://unbound";
    if (zmq_socket_monitor(socket.handle(), kEvents, ZMQ_EVENT_CLOSED | ZMQ_EVENT_CLOSE_FAILED) != 0)
      throw zmq::error_t();
    zmq::socket_t events(context_, zmq::socket_type::pair);
    events.set(zmq::sockopt::linger, 0);
    events.set(zmq::sockopt::rcvtimeo, static_cast<int>(kUnbind.count()));
    events.connect(kEvents);
    socket.unbind(address);
    zmq::message_t event;
    if (!events.recv(event)) throw Failure(Exit::failed, "--back " + address + " could not be closed");
    zmq_socket_monitor(socket.handle(), nullptr, 0);
  }

  void wait() {
    zmq::pollitem_t items[] = {{nullptr, stop_.fd(), ZMQ_POLLIN, 0},
                               {front_.handle(), 0, ZMQ_POLLIN, 0},
                               {back_.handle(), 0, ZMQ_POLLIN, 0}};
    try {
      // SIGUSR1 can come between the look at its flag and the poll; a second later it is seen anyway.
      zmq::poll(items, 3, curve_ ? kLook : std::chrono::milliseconds(1'000));
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }

  /// One whole message of a producer's, if there is one.
  bool pass() {
    zmq::message_t frame;
    if (!front_.recv(frame, zmq::recv_flags::dontwait)) return false;
    ++counters_.events;
    for (bool more = true; more;) {
      more = frame.more();
      counters_.bytes += frame.size();
      (void)back_.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
      if (more) (void)front_.recv(frame, zmq::recv_flags::none);
    }
    return true;
  }

  /// What bridges want, or no longer want, if they said so: a byte, 1 or 0, and the topic's beginning.
  /// Producers hear each once only, so that they go on while bridges connect again to another socket.
  bool pass_subscription() {
    zmq::message_t message;
    if (!back_.recv(message, zmq::recv_flags::dontwait)) return false;
    const auto text = message.to_string();
    if (text.empty()) return true;
    const bool is_news =
        text[0] == 1 ? wanted_.insert(text.substr(1)).second : wanted_.erase(text.substr(1)) > 0;
    if (is_news) (void)front_.send(message, zmq::send_flags::none);
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
  std::shared_ptr<const ProducerWatch> bridges_;
  std::shared_ptr<const ProducerList> served_;  // those who may be connected to back_
  std::unique_ptr<ZapHandler> zap_;
  std::unique_ptr<BusGate> gate_;
  zmq::socket_t front_;
  zmq::socket_t back_;
  std::set<std::string> wanted_;  // by any bridge
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
