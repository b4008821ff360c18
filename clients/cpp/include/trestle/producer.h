#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trestle {

/// Where one bridge listens.
struct BridgeAddress {
  std::string events = "tcp://127.0.0.1:5556";   ///< the bridge's SUB (or a bus in front of it)
  std::string control = "tcp://127.0.0.1:5557";  ///< the bridge's ROUTER; always direct
  /// CURVE, for a bridge that has ingest.curve: its public key, 40 characters (see public_key_of()). Nobody
  /// else is talked to. Empty: no CURVE.
  std::string server_key{};
  std::string bus_key{};  ///< the public key of the bus that `events` names; empty: it is the bridge itself
};

/// What to do with a publish() when the replay buffer is full.
enum class WhenFull {
  block,        ///< wait until acks make room
  drop_oldest,  ///< forget the oldest unacked event; it may become a gap
  fail,         ///< throw BufferFull
};

struct ProducerOptions {
  std::string id;          ///< [A-Za-z0-9_-]{1,64}; required
  std::string key_file{};  ///< CURVE: our own key pair, made by `trestle keygen`; needed for every server_key
  std::vector<BridgeAddress> bridges{BridgeAddress{}};
  std::size_t buffer_events = 100'000;  ///< bounds of the replay buffer
  std::size_t buffer_bytes = 64 * 1024 * 1024;
  std::size_t max_event = 512 * 1024;  ///< bytes; what the bridges' ingest.max_event allows
  WhenFull when_full = WhenFull::block;
  std::chrono::milliseconds beat{1'000};
  /// A bridge that answers nothing for this long is not waited for until it says welcome again.
  std::chrono::milliseconds silence{30'000};
  /// How long to keep asking when a bridge says that the id is in use: it takes 5 s to notice that a killed
  /// predecessor is gone, and the next beat after that asks; the rest is for a bridge that is busy.
  std::chrono::milliseconds takeover{8'000};
};

struct BufferFull : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thrown by publish() and flush() while a bridge refuses this producer; what() names the bridge, its reason
/// and the remedy.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What flush() found out.
struct Flushed {
  bool complete = false;  ///< every required bridge has acked everything
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      lost;         ///< inclusive seq ranges a bridge gave up, since the last flush
  std::string why;  ///< if not complete: what is missing, in words
};

/// Publishes events exactly once into the stream of one bridge or several.
///
/// Thread-safe: publish() and flush() from any thread. One background thread owns the sockets: it connects,
/// says hello, beats, answers replay requests from a bounded buffer and takes acks. publish() copies the
/// payload, costs about a microsecond, and touches no socket; it blocks only under WhenFull::block with a
/// full buffer. After fork() the child's copy throws std::logic_error on use; make a new one there.
class Producer {
 public:
  /// Throws std::invalid_argument for options that can't work, with the remedy.
  explicit Producer(ProducerOptions options);
  /// Sends what is queued, says `bye`, and returns within a second. Does not wait for acks: call flush() for
  /// that.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// `event` is one JSON object with a string member `type`; the bridge completes the topic. Returns its seq.
  /// Throws BufferFull (WhenFull::fail only), Refused, std::invalid_argument (an event larger than max_event
  /// or the whole buffer, or a topic that is none), std::logic_error (after fork()).
  std::uint64_t publish(std::string event);
  /// The same with a topic of the caller's choice, which must start with the event's type.
  std::uint64_t publish(std::string topic, std::string event);

  /// Waits until every required bridge has acked all that was published before the call, or until the
  /// timeout.
  Flushed flush(std::chrono::milliseconds timeout);

  /// True while at least one bridge answers.
  bool connected() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A CURVE public key, given as itself (40 characters) or as the file that `trestle keygen` wrote it to
/// (FILE.pub). Throws std::invalid_argument if it is neither.
std::string public_key_of(const std::string& key_or_file);

/// The topic of an event: `<type>` or, with a key, `<type>.<key>`, escaped as the bridge does it.
/// Throws std::invalid_argument if the type can't be one.
std::string topic_of(const std::string& type, const std::string& key = "");

}  // namespace trestle
