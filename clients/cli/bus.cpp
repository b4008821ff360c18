#include "clients/cli/bus.h"

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <vector>
#include <zmq.hpp>

#include "bridge/config/address.h"
#include "bridge/ingest/zmq_bind.h"
#include "clients/cli/stop_signal.h"

namespace trestle::cli {
namespace {

// A bridge may be this many events behind before ZeroMQ drops; sequenced events are repaired over the control
// socket.
constexpr int kHwm = 100'000;
// Events passed on before subscriptions and signals get their turn.
constexpr int kBurst = 1'000;

std::atomic<bool> counters_wanted{false};

struct Counters {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t subscriptions = 0;
};

class Bus {
 public:
  explicit Bus(const BusOptions& options)
      : front_(open(zmq::socket_type::xsub, "--front", options.front, options.insecure)),
        back_(open(zmq::socket_type::xpub, "--back", options.back, options.insecure)) {}

  void run() {
    std::cerr << "trestle bus: producers at " << front_.get(zmq::sockopt::last_endpoint) << ", bridges at "
              << back_.get(zmq::sockopt::last_endpoint) << std::endl;
    while (!stop_.requested()) {
      wait();
      for (int i = 0; i < kBurst && pass(front_, back_, &counters_); ++i) {
      }
      while (pass(back_, front_, nullptr)) ++counters_.subscriptions;
      if (counters_wanted.exchange(false)) print();
    }
    print();
  }

 private:
  zmq::socket_t open(zmq::socket_type type, const std::string& option, const std::string& address,
                     bool insecure) {
    if (auto parsed = parse_zmq_address(address, ZmqSide::bind); !parsed) {
      throw Failure(Exit::usage, option + ": " + parsed.error().message);
    }
    if (!insecure && !is_local_zmq_address(address)) {
      throw Failure(Exit::usage,
                    option + " " + address +
                        " can be reached from other machines, and anybody there could publish; use "
                        "127.0.0.1 or ipc://, or say --insecure");
    }
    zmq::socket_t socket(context_, type);
    socket.set(zmq::sockopt::linger, 500);
    socket.set(zmq::sockopt::rcvhwm, kHwm);
    socket.set(zmq::sockopt::sndhwm, kHwm);
    socket.set(zmq::sockopt::heartbeat_ivl, 2'000);
    socket.set(zmq::sockopt::heartbeat_timeout, 6'000);
    // Told to peers, for those that have no heartbeats of their own.
    socket.set(zmq::sockopt::heartbeat_ttl, 10'000);
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

  void print() const {
    std::cerr << "trestle bus: " << counters_.events << " events, " << counters_.bytes << " bytes, "
              << counters_.subscriptions << " subscription changes" << std::endl;
  }

  const StopSignal stop_;
  std::vector<IpcLock> locks_;  // before the context, so that they outlive it
  zmq::context_t context_{1};
  zmq::socket_t front_;
  zmq::socket_t back_;
  Counters counters_;
};

}  // namespace

Exit run_bus(const BusOptions& options) {
  struct sigaction action = {};
  action.sa_handler = [](int) { counters_wanted = true; };
  sigaction(SIGUSR1, &action, nullptr);
  Bus(options).run();
  return Exit::ok;
}

}  // namespace trestle::cli
