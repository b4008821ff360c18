#include "trestle/producer.h"

#include <unistd.h>

#include "clients/cpp/src/io_thread.h"
#include "clients/cpp/src/replay_buffer.h"
#include "proto/curve_key.h"
#include "proto/topic.h"

namespace trestle {
namespace {

std::uint64_t micros_since_1970() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

void require(bool condition, const std::string& remedy) {
  if (!condition) throw std::invalid_argument("trestle::Producer: " + remedy);
}

void check_keys(const BridgeAddress& bridge, const std::string& key_file) {
  for (const auto* key : {&bridge.server_key, &bridge.bus_key}) {
    require(key->empty() || is_curve_key(*key),
            "\"" + *key + "\" is no public key: 40 characters; see public_key_of()");
  }
  require(bridge.bus_key.empty() || !bridge.server_key.empty(),
          "bus_key without server_key: the control socket goes to the bridge, so its key is needed too");
  require(bridge.server_key.empty() == key_file.empty(),
          "CURVE needs both: key_file, and server_key of every bridge (here " + bridge.control + ")");
}

const ProducerOptions& checked(const ProducerOptions& options) {
  require(is_producer_id(options.id),
          "id \"" + options.id + "\" must be 1 to 64 of the characters A-Z a-z 0-9 _ -");
  require(!options.bridges.empty(), "bridges is empty; name at least one");
  require(options.buffer_events > 0, "buffer_events must be at least 1");
  require(options.buffer_bytes > 0, "buffer_bytes must be at least 1");
  require(options.beat.count() > 0, "beat must be at least 1 ms");
  require(options.silence > options.beat, "silence must be longer than beat");
  require(options.takeover.count() >= 0, "takeover can't be negative");
  for (const auto& bridge : options.bridges) check_keys(bridge, options.key_file);
  return options;
}

}  // namespace

struct Producer::Impl {
  explicit Impl(const ProducerOptions& options)
      : buffer({options.buffer_events, options.buffer_bytes, options.when_full}),
        io(options, {options.id, micros_since_1970()}, buffer),
        max_event(options.max_event) {}

  // The child of a fork has the sockets' memory but neither their threads nor a right to their connections.
  void check_process() const {
    if (getpid() != pid) {
      throw std::logic_error("this trestle::Producer was made before fork(); make a new one in the child");
    }
  }

  const pid_t pid = getpid();
  client::ReplayBuffer buffer;
  client::IoThread io;
  const std::size_t max_event;
};

Producer::Producer(ProducerOptions options) : impl_(std::make_unique<Impl>(checked(options))) {}

Producer::~Producer() {
  // In the child of a fork there is nothing to stop, and closing would reach into the parent's connections.
  if (getpid() != impl_->pid) static_cast<void>(impl_.release());
}

std::uint64_t Producer::publish(std::string event) { return publish("", std::move(event)); }

std::uint64_t Producer::publish(std::string topic, std::string event) {
  impl_->check_process();
  if (!topic.empty() && !is_topic(topic)) {
    throw std::invalid_argument("\"" + topic +
                                "\" is not a topic; make it with trestle::topic_of(type, key)");
  }
  // A bridge may cut the connection for it, and ask for it again, and cut the connection again.
  if (event.size() > impl_->max_event) {
    throw std::invalid_argument("the event has " + std::to_string(event.size()) +
                                " bytes, more than max_event, " + std::to_string(impl_->max_event) +
                                ": send less, or raise it here and ingest.max_event");
  }
  const auto added = impl_->buffer.add(std::move(topic), std::move(event));
  if (added.wake) impl_->io.wake();
  return added.seq;
}

Flushed Producer::flush(std::chrono::milliseconds timeout) {
  impl_->check_process();
  return impl_->buffer.flush(timeout);
}

bool Producer::connected() const {
  impl_->check_process();
  return impl_->buffer.answering();
}

std::string topic_of(const std::string& type, const std::string& key) {
  Reject why = Reject::none;
  const std::string escaped = escape_type(type);
  const std::string topic = escaped.empty() ? "" : join_topic(escaped, key, why);
  if (topic.empty()) {
    throw std::invalid_argument(
        "type \"" + type +
        "\" makes no topic: it needs non-empty segments and at most 255 bytes with its key");
  }
  return topic;
}

}  // namespace trestle
