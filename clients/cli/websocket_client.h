#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "clients/cli/reconnect.h"
#include "clients/cli/stop_signal.h"

namespace trestle::cli {

struct WebSocketRequest {
  std::string url;      ///< ws:// or wss://
  std::string token;    ///< sent as Authorization: Bearer; empty: none
  std::string ca_file;  ///< PEM; empty: the system's
};

struct WebSocketHandlers {
  /// A text message. False: that is enough, close.
  std::function<bool(std::string_view)> on_message;
  /// After a run of messages that came together: a good moment to write what they made. False: close.
  std::function<bool()> on_pause;
  /// How long the bridge may be silent before the connection counts as dead; asked again and again. Zero: for
  /// ever.
  std::function<std::chrono::milliseconds()> silence;
};

/// One connection from handshake to close, on the caller's thread; returns when it has ended, for whatever
/// reason, or when the program is asked to stop. Messages of up to 64 MiB are accepted. Exceptions of the
/// handlers pass through.
Ended run_websocket(const WebSocketRequest& request, const StopSignal& stop,
                    const WebSocketHandlers& handlers);

}  // namespace trestle::cli
