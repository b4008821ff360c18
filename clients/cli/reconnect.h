#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "clients/cli/exit_code.h"

namespace trestle::cli {

/// How a WebSocket connection ended.
struct Ended {
  bool opened = false;    ///< the handshake succeeded
  int close_code = 1006;  ///< 1006: without a close frame
  std::string reason;     ///< from the close frame
  int http_status = 0;    ///< of a failed handshake, 0 if there was no answer
  std::string error;      ///< in words, if something failed
  std::string distrust;   ///< why the bridge's certificate was not accepted; empty: it was, or there was none
};

/// What to do next.
struct Next {
  bool again = false;
  std::chrono::milliseconds wait{0};
  Exit code = Exit::ok;  ///< if not again
  std::string message;   ///< for the user
  std::string cursor;    ///< if the bridge named one (4408)
};

/// The client's half of the close codes (README.md has the table) and the back-off between attempts: half a
/// second, doubled up to 30 s, of which each wait is a random part, so that a thousand clients do not come
/// back at once.
class Reconnect {
 public:
  /// `random` gives numbers in [0, 1).
  explicit Reconnect(std::function<double()> random) : random_(std::move(random)) {}

  /// A connection that got as far as its welcome: the next trouble starts from the beginning.
  void succeeded() {
    attempt_ = 0;
    succeeded_ = true;
  }
  /// The bridge announced that it goes away.
  void drained(std::chrono::milliseconds after, std::chrono::milliseconds spread);
  Next after(const Ended& ended);

 private:
  std::optional<Next> final_verdict(const Ended& ended) const;
  std::chrono::milliseconds back_off(std::chrono::milliseconds least);

  std::function<double()> random_;
  int attempt_ = 0;
  bool succeeded_ = false;  ///< once
  std::optional<std::chrono::milliseconds> drain_;
};

}  // namespace trestle::cli
