#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/stop_signal.h"
#include "trestle/producer.h"

namespace trestle::cli {

/// Where `trestle pub` puts its events. Every call throws Failure when it can't do its work in time, or when
/// the program is asked to stop meanwhile.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void publish(const std::string& event) = 0;
  /// Returns when everything is where it should be.
  virtual void finish() = 0;
};

/// Through the producer library: finish() returns when every bridge has acked everything.
std::unique_ptr<EventSink> acked_sink(const ProducerOptions& options, const std::string& topic,
                                      std::chrono::milliseconds timeout, const StopSignal& stop);

/// The two-frame form that needs no library, at most once. Waits for a subscriber at each address first,
/// because ZeroMQ throws away what nobody has subscribed to. Of the options, bridges and key file count.
std::unique_ptr<EventSink> plain_sink(const ProducerOptions& options, const std::string& topic,
                                      std::chrono::milliseconds timeout, const StopSignal& stop);

}  // namespace trestle::cli
