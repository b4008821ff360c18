#include "clients/cli/event_sink.h"

#include <iostream>
#include <set>
#include <zmq.hpp>

#include "bridge/ingest/curve_files.h"
#include "clients/cli/exit_code.h"

namespace trestle::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long to wait in one piece, so that a signal is noticed soon.
constexpr milliseconds kSlice{200};

[[noreturn]] void stopped() { throw Failure(Exit::failed, "stopped before everything was published"); }

class AckedSink : public EventSink {
 public:
  AckedSink(const ProducerOptions& options, std::string topic, milliseconds timeout, const StopSignal& stop)
      : topic_(std::move(topic)), timeout_(timeout), stop_(stop), producer_(options) {}

  void publish(const std::string& event) override {
    for (;;) {
      try {
        producer_.publish(topic_, event);
        return;
      } catch (const BufferFull&) {
        wait_for_acks();
      } catch (const Refused& refused) {
        throw Failure(Exit::refused, refused.what());
      }
    }
  }

  void finish() override {
    wait_for_acks();
    if (lost_ != 0) {
      throw Failure(Exit::failed,
                    "a bridge gave up " + std::to_string(lost_) + " events; it names them in a gap");
    }
  }

 private:
  void wait_for_acks() {
    const auto deadline = Clock::now() + timeout_;
    for (;;) {
      const Flushed flushed = flush_once();
      for (const auto& [from, to] : flushed.lost) lost_ += to - from + 1;
      if (flushed.complete) return;
      if (Clock::now() >= deadline) {
        throw Failure(Exit::not_acked,
                      "not acked within " + std::to_string(timeout_.count()) + " ms: " + flushed.why);
      }
      if (stop_.requested()) stopped();
    }
  }

  Flushed flush_once() {
    try {
      return producer_.flush(std::min(kSlice, timeout_));
    } catch (const Refused& refused) {
      throw Failure(Exit::refused, refused.what());
    }
  }

  const std::string topic_;
  const milliseconds timeout_;
  const StopSignal& stop_;
  Producer producer_;
  std::uint64_t lost_ = 0;
};

class PlainSink : public EventSink {
 public:
  PlainSink(const ProducerOptions& options, std::string topic, milliseconds timeout, const StopSignal& stop)
      : topic_(std::move(topic)), timeout_(timeout), stop_(stop), socket_(context_, zmq::socket_type::xpub) {
    socket_.set(zmq::sockopt::xpub_verbose, true);
    // A full pipe makes us wait instead of losing the event.
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    socket_.set(zmq::sockopt::sndtimeo, static_cast<int>(kSlice.count()));
    socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(kSlice.count()));
    socket_.set(zmq::sockopt::linger, static_cast<int>(timeout.count()));
    connect(options);
    wait_for_subscribers();
  }

  void publish(const std::string& event) override {
    const auto deadline = Clock::now() + timeout_;
    while (!socket_.send(zmq::buffer(topic_), zmq::send_flags::sndmore)) {
      if (stop_.requested()) stopped();
      if (Clock::now() >= deadline) throw Failure(Exit::failed, "the bridge takes no more events");
    }
    (void)socket_.send(zmq::buffer(event), zmq::send_flags::none);
  }

  // Closing the socket waits until the events have left, at most for the timeout.
  void finish() override {
    socket_.close();
    context_.close();
  }

 private:
  void connect(const ProducerOptions& options) {
    std::set<std::string> connected;
    for (const BridgeAddress& bridge : options.bridges) {
      if (!connected.insert(bridge.events).second) continue;
      try {
        if (!options.key_file.empty()) prove_identity(options.key_file, bridge);
        socket_.connect(bridge.events);
      } catch (const zmq::error_t& error) {
        throw Failure(Exit::usage, "--events " + bridge.events + ": " + error.what() +
                                       "; use tcp://HOST:PORT or ipc://PATH");
      }
    }
    wanted_ = connected.size();
  }

  void prove_identity(const std::string& key_file, const BridgeAddress& bridge) {
    const auto keys = load_key_pair(key_file);
    if (!keys) throw Failure(Exit::usage, "--curve-key: " + keys.error().message);
    socket_.set(zmq::sockopt::curve_publickey, keys->public_key);
    socket_.set(zmq::sockopt::curve_secretkey, keys->secret_key);
    socket_.set(zmq::sockopt::curve_serverkey, bridge.bus_key.empty() ? bridge.server_key : bridge.bus_key);
  }

  void wait_for_subscribers() {
    const auto deadline = Clock::now() + timeout_;
    std::size_t subscribers = 0;
    zmq::message_t message;
    while (subscribers < wanted_) {
      if (socket_.recv(message) && message.size() > 0 && *message.data<char>() == 1) ++subscribers;
      if (stop_.requested()) stopped();
      if (Clock::now() >= deadline && subscribers < wanted_) {
        throw Failure(Exit::not_acked, "within " + std::to_string(timeout_.count()) + " ms only " +
                                           std::to_string(subscribers) + " of " + std::to_string(wanted_) +
                                           " addresses had a bridge behind; is trestled running?");
      }
    }
  }

  const std::string topic_;
  const milliseconds timeout_;
  const StopSignal& stop_;
  std::size_t wanted_ = 0;
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

}  // namespace

std::unique_ptr<EventSink> acked_sink(const ProducerOptions& options, const std::string& topic,
                                      milliseconds timeout, const StopSignal& stop) {
  try {
    return std::make_unique<AckedSink>(options, topic, timeout, stop);
  } catch (const std::invalid_argument& error) {
    throw Failure(Exit::usage, error.what());
  }
}

std::unique_ptr<EventSink> plain_sink(const ProducerOptions& options, const std::string& topic,
                                      milliseconds timeout, const StopSignal& stop) {
  return std::make_unique<PlainSink>(options, topic, timeout, stop);
}

}  // namespace trestle::cli
