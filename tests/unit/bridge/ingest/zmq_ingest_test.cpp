#include "bridge/ingest/zmq_ingest.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "bridge/store/memory_stream.h"
#include "proto/control.h"
#include "proto/stamp.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 10s;

/// Collects what is delivered; can pretend to be behind.
class Sink final : public BatchSink {
 public:
  bool has_room() const override { return room; }
  void deliver(const BatchPtr& batch) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& event : batch->events) topics_.push_back(event->topic);
    changed_.notify_all();
  }
  /// True once the topic has come.
  bool hears(const std::string& topic) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(
        lock, kPatience, [&] { return std::find(topics_.begin(), topics_.end(), topic) != topics_.end(); });
  }
  std::vector<std::string> topics() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return topics_;
  }
  std::atomic<bool> room{true};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> topics_;
};

/// The bridge's ZeroMQ side on ipc sockets in a directory of its own, and sockets to talk to it.
class IngestFixture {
 public:
  IngestFixture() : spine_(policies_, EventLimits{}, stream_), ingest_(spine_, sink) {
    settings.bind = {"ipc://" + scratch.file("events").string()};
    settings.control = "ipc://" + scratch.file("control").string();
    const auto opened = ingest_.open(settings);
    REQUIRE(opened.has_value());
    ingest_.start();
    events_.connect(settings.bind.front());
    control_.set(zmq::sockopt::rcvtimeo, 10'000);
    control_.connect(settings.control);
    // PUB drops until it is connected: speak until it is heard.
    for (int i = 0; i < 200 && sink.topics().empty(); ++i) {
      publish({R"({"type":"first"})"});
      std::this_thread::sleep_for(20ms);
    }
    REQUIRE(sink.hears("first"));
  }
  ~IngestFixture() {
    events_.set(zmq::sockopt::linger, 0);
    control_.set(zmq::sockopt::linger, 0);
  }

  void publish(const std::vector<std::string>& frames) { send(events_, frames); }
  void control(const std::vector<std::string>& frames) { send(control_, frames); }
  FromBridge answer() {
    zmq::message_t message;
    REQUIRE(control_.recv(message).has_value());
    const auto decoded = decode_from_bridge(message.to_string_view());
    REQUIRE(decoded.has_value());
    return *decoded;
  }
  SpineStatus status() {
    std::mutex mutex;
    std::condition_variable answered;
    std::optional<SpineStatus> status;
    ingest_.probe([&](const SpineStatus& now) {
      const std::lock_guard<std::mutex> lock(mutex);
      status = now;
      answered.notify_all();
    });
    std::unique_lock<std::mutex> lock(mutex);
    REQUIRE(answered.wait_for(lock, kPatience, [&] { return status.has_value(); }));
    return *status;
  }
  /// True once the bridge has counted so many refusals.
  bool counts(Reject reason, std::uint64_t wanted) {
    for (int i = 0; i < 500; ++i) {
      if (status().rejections[static_cast<std::size_t>(reason)] == wanted) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  ScratchDirectory scratch;
  IngestSettings settings;
  Sink sink;

 private:
  static void send(zmq::socket_t& socket, const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto more = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      socket.send(zmq::buffer(frames[i]), more);
    }
  }

  PolicyTable policies_{{}};
  MemoryStream stream_{1};
  Spine spine_;
  ZmqIngest ingest_;
  zmq::context_t context_{1};
  zmq::socket_t events_{context_, zmq::socket_type::pub};
  zmq::socket_t control_{context_, zmq::socket_type::dealer};
};

std::string stamp(Seq seq) {
  const auto bytes = encode(Stamp{7, seq, 1});
  return {bytes.data(), bytes.size()};
}

}  // namespace

TEST_CASE("the three shapes come in over a real socket, and are refused by name") {
  IngestFixture bridge;
  bridge.publish({R"({"type":"one"})"});
  bridge.publish({"two.x", R"({"type":"two"})"});
  CHECK(bridge.sink.hears("one"));
  CHECK(bridge.sink.hears("two.x"));
  bridge.publish({"a", "b", "c"});
  bridge.publish(std::vector<std::string>(100, "frame"));
  CHECK(bridge.counts(Reject::frame_count, 2));
  bridge.publish({"not json"});
  CHECK(bridge.counts(Reject::not_json, 1));
}

TEST_CASE("a sequenced producer is welcomed, repaired and acked") {
  IngestFixture bridge;
  bridge.control({R"({"type":"hello","v":1,"producer":"p1","epoch":7,"first":1,"last":0,"acked":0})"});
  CHECK(bridge.answer().kind == FromBridge::Kind::welcome);
  CHECK(bridge.sink.hears("$sys.producer.p1"));
  bridge.publish({"", "p1", stamp(2), R"({"type":"second"})"});
  const auto replay = bridge.answer();
  CHECK(replay.kind == FromBridge::Kind::replay);
  CHECK(replay.from == 1);
  CHECK(replay.to == 1);
  bridge.control({"event", "", "p1", stamp(1), R"({"type":"original"})"});
  const auto ack = bridge.answer();
  CHECK(ack.kind == FromBridge::Kind::ack);
  CHECK(ack.seq == 2);
  const auto topics = bridge.sink.topics();
  CHECK(topics.at(topics.size() - 2) == "original");
  CHECK(topics.back() == "second");
  CHECK(bridge.status().producers.at(0).id == "p1");
}

TEST_CASE("a control message that is none is counted, and the next one is understood") {
  IngestFixture bridge;
  bridge.control({"rubbish"});
  bridge.control({"", ""});
  CHECK(bridge.counts(Reject::bad_control, 2));
  bridge.control({R"({"type":"hello","v":1,"producer":"p1","epoch":7,"first":1,"last":0,"acked":0})"});
  CHECK(bridge.answer().kind == FromBridge::Kind::welcome);
}

TEST_CASE("while the shards are behind it goes on reading, and counts what it throws away") {
  IngestFixture bridge;
  bridge.sink.room = false;
  for (int i = 0; i < 100; ++i) bridge.publish({R"({"type":"thrown.away"})"});
  CHECK(bridge.counts(Reject::overload, 100));
  bridge.sink.room = true;
  bridge.publish({R"({"type":"taken"})"});
  CHECK(bridge.sink.hears("taken"));
  const auto topics = bridge.sink.topics();
  CHECK(std::find(topics.begin(), topics.end(), "thrown.away") == topics.end());
}

TEST_CASE("an ipc path is its owner's and group's, and taken once") {
  IngestFixture bridge;
  CHECK(bridge.scratch.mode("events") == 0660);
  const auto second = ZmqSockets::open(bridge.settings);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message == "cannot bind ingest.bind to " + bridge.settings.bind.front() +
                                      ": the path is in use, perhaps by another trestled or trestle bus");
  bridge.publish({R"({"type":"still.here"})"});
  CHECK(bridge.sink.hears("still.here"));
}

TEST_CASE(
    "what a killed owner left at an ipc path is taken over; what is no socket, or lives, is left alone") {
  ScratchDirectory scratch;
  const auto path = scratch.file("events").string();
  IngestSettings settings;
  settings.bind = {"ipc://" + path};
  settings.control.clear();
  const auto refusal = [&] {
    const auto opened = ZmqSockets::open(settings);
    return opened ? std::string() : opened.error().message;
  };

  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(left, 1) == 0);
  CHECK(refusal().find(": the path is in use, perhaps by another") != std::string::npos);
  ::close(left);
  CHECK(refusal().empty());
  CHECK(refusal().empty());  // once more: it was let go of

  std::filesystem::remove(path);
  std::ofstream(path) << "notes";
  CHECK(refusal().find("something that is no socket is there") != std::string::npos);
  CHECK(std::filesystem::file_size(path) == 5);
}

TEST_CASE("an abstract ipc name needs no lock, and is taken once") {
  IngestSettings settings;
  settings.bind = {"ipc://@trestle-ingest-test-" + std::to_string(::getpid())};
  settings.control.clear();
  const auto first = ZmqSockets::open(settings);
  REQUIRE(first.has_value());
  const auto second = ZmqSockets::open(settings);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("is in use") != std::string::npos);
}

TEST_CASE("a port that is taken, or an address that is none, is told with its key") {
  zmq::context_t context{1};
  zmq::socket_t owner(context, zmq::socket_type::pub);
  owner.bind("tcp://127.0.0.1:*");
  const auto taken = owner.get(zmq::sockopt::last_endpoint);
  IngestSettings settings;
  settings.bind = {taken};
  settings.control.clear();
  const auto opened = ZmqSockets::open(settings);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message == "cannot bind ingest.bind to " + taken +
                                      ": the address is in use, perhaps by another trestled or trestle bus");

  settings.bind = {"nonsense"};
  CHECK(ZmqSockets::open(settings).error().message.find("cannot bind ingest.bind to nonsense: ") == 0);
  settings.bind.clear();
  settings.connect = {"tcp://nowhere"};
  CHECK(ZmqSockets::open(settings).error().message.find("cannot connect ingest.connect to tcp://nowhere: ") ==
        0);
}
