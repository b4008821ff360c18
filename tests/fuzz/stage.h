#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/front/front_context.h"
#include "bridge/front/shard.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/memory_stream.h"

namespace trestle {

/// One real session on a real shard, whose connection is memory: no network, no thread; the fuzzer says what
/// happens when. The shard's event loop runs in settle() only.
class Stage {
 public:
  /// The static token; it may read everything.
  static constexpr std::string_view kToken = "T";
  /// Endpoints: "/" wants a token and gives envelopes, "/open" is bare and without.
  explicit Stage(Choices& choices);
  ~Stage();

  void client_sends(std::string_view bytes);
  void client_ends() { wire_.ended = true; }
  /// Something beside what the client sends: events, time that passes, a client that stops reading, a drain …
  void meanwhile(std::size_t what);
  static constexpr std::size_t kMeanwhile = 15;  ///< the highest `what`
  /// Runs the shard's loop until it only waits, and checks what must hold at any time.
  void settle();
  /// The connection breaks: what is left must be nothing, and what was written must be what a client may be
  /// sent.
  void end();
  bool over() const { return shard_->session_count() == 0; }

 private:
  void publish(std::size_t kind, std::size_t count);
  void lose();
  void change_epoch();
  void pass_time(std::chrono::milliseconds time);
  void answer_status();
  void check_bounds();

  Choices& choices_;
  Wire wire_;
  Settings settings_;
  std::function<void(std::string)> status_answer_;
  std::unique_ptr<FrontContext> context_;
  std::unique_ptr<Shard> shard_;
  EpochPtr epoch_ = std::make_shared<const std::string>("17");
  Offset head_ = 0;
  std::chrono::milliseconds passed_{0};
};

}  // namespace trestle
