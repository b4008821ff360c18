#include "bridge/core/spine.h"

#include <doctest/doctest.h>

#include "fixtures.h"
#include "proto/stamp.h"

using namespace trestle;
using namespace std::chrono_literals;

namespace {

/// Numbers by tens, as a stream may: nobody may assume dense offsets.
class TensStream final : public Stream {
 public:
  EpochPtr epoch() const override { return epoch_; }
  Offset head() const override { return head_; }
  const std::string& trouble() const override { return what_is_wrong; }
  Past restore() override { return {}; }
  void append(const std::vector<std::shared_ptr<Event>>& events, std::vector<LostRange>& lost,
              const std::vector<ProducerMark>& kept) override {
    for (const auto& event : events) event->offset = head_ += 10;
    place(lost, events, head_);
    marks = kept;
    ++appends;
  }
  void tick(Now) override {}
  std::string what_is_wrong;
  std::vector<ProducerMark> marks;
  int appends = 0;

 private:
  const EpochPtr epoch_ = std::make_shared<const std::string>("1");
  Offset head_ = 0;
};

/// Frames in, batches and answers out.
class SpineFixture {
 public:
  void plain(const std::string& payload, bool overloaded = false) { send({payload}, overloaded); }
  void sequenced(Seq seq, const std::string& payload, bool overloaded = false, Micros time = 77) {
    const auto stamp = encode(Stamp{kEpoch, seq, time});
    send({"", "p1", {stamp.data(), stamp.size()}, payload}, overloaded);
  }
  void replayed(Seq seq, const std::string& payload, bool overloaded = false) {
    const auto stamp = encode(Stamp{kEpoch, seq, 77});
    control({"event", "", "p1", {stamp.data(), stamp.size()}, payload}, overloaded);
  }
  void send(const std::vector<std::string>& frames, bool overloaded = false) {
    spine_.message(views(frames), at(now_), overloaded, grant);
  }
  void control(const std::vector<std::string>& frames, bool overloaded = false) {
    spine_.control("@p1", views(frames), at(now_), overloaded, grant);
  }
  const ProducerGrant* grant = nullptr;  // what who sends from now on may do
  void hello() {
    control({R"({"type":"hello","v":1,"producer":"p1","epoch":9,"first":1,"last":0,"acked":0})"});
  }
  void wait(milliseconds time) {
    now_ += time;
    spine_.tick(at(now_));
  }
  /// "10 a, 20 b.1": offset and topic of what is delivered, holes between, answers behind a bar.
  std::string commit() {
    output = spine_.commit(at(now_));
    std::string text;
    const auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
    if (output.batch) {
      auto lost = output.batch->lost.begin();
      for (std::size_t i = 0; i <= output.batch->events.size(); ++i) {
        for (; lost != output.batch->lost.end() && lost->before == i; ++lost)
          add("lost " + range_text(lost->from, lost->to));
        if (i == output.batch->events.size()) break;
        const auto& event = *output.batch->events[i];
        add(std::to_string(event.offset) + " " + event.topic);
      }
    }
    for (const auto& answer : output.to_producers)
      add(answer.peer + " " + encode(answer.message).substr(9, 3));
    return text.empty() ? "nothing" : text;
  }
  std::uint64_t rejected(Reject reason) const { return spine_.rejections().total(reason); }
  const Spine::Counters& counters() const { return spine_.counters(); }
  Offset head() const { return spine_.stream().head(); }

  TensStream stream;
  Spine::Output output;

 private:
  static constexpr std::uint64_t kEpoch = 9;
  static std::vector<std::string_view> views(const std::vector<std::string>& frames) {
    return {frames.begin(), frames.end()};
  }

  PolicyTable policies_{{}};
  Spine spine_{policies_, EventLimits{100, 64}, stream};
  milliseconds now_{0};
};

constexpr const char* kA = R"({"type":"a"})";
constexpr const char* kB = R"({"type":"b"})";

}  // namespace

TEST_CASE("what came between two commits is one batch, in the order it came") {
  SpineFixture bridge;
  CHECK(bridge.commit() == "nothing");
  CHECK(bridge.stream.appends == 0);
  bridge.plain(kA);
  bridge.send({"b.1", kB});
  bridge.plain(R"({"type":"command-progress","id":7})");
  CHECK(bridge.commit() == "10 a, 20 b.1, 30 command-progress.7");
  CHECK(bridge.output.batch->head == 30);
  CHECK(bridge.head() == 30);
  CHECK(bridge.stream.appends == 1);
  CHECK(bridge.counters().events == 3);
  CHECK(bridge.counters().bytes == 12 + 12 + 34);
  const auto& event = *bridge.output.batch->events.front();
  CHECK(event.payload == kA);
  CHECK(event.time == kTestStart);
  CHECK(event.appended == kTestStart);
  CHECK(bridge.commit() == "nothing");
}

TEST_CASE("a producer is answered only after the append, never before") {
  SpineFixture bridge;
  bridge.hello();
  CHECK(bridge.commit() == "10 $sys.producer.p1, @p1 wel");
  bridge.sequenced(1, kA);
  CHECK(bridge.stream.appends == 1);
  CHECK(bridge.commit() == "20 a, @p1 ack");
  CHECK(bridge.stream.appends == 2);
  CHECK(bridge.output.to_producers.front().message.seq == 1);
  CHECK(bridge.output.batch->events.front()->time == 77);
}

TEST_CASE(
    "a sequenced event that is refused keeps its place and is named lost; what follows does not wait for "
    "it") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  bridge.sequenced(1, "not JSON");
  bridge.sequenced(2, "[]");
  bridge.sequenced(3, kA);
  bridge.sequenced(5, R"({"no":"type"})");
  CHECK(bridge.commit() == "lost 1-2, 20 a, @p1 rep, @p1 ack");
  const auto& ack = bridge.output.to_producers.back().message;
  CHECK(ack.seq == 3);
  CHECK(ack.lost == std::vector<SeqRange>{{1, 2}});
  bridge.replayed(4, kB);
  CHECK(bridge.commit() == "30 b, lost 5");
  CHECK(bridge.counters().lost == 3);
  CHECK(bridge.rejected(Reject::not_json) == 1);
}

TEST_CASE("so does one whose stamp has a time that is none, unless its sender may not go by that id") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  bridge.sequenced(1, kA);
  bridge.sequenced(2, kA, true, 0);
  CHECK(bridge.counters().deferred == 1);
  const ProducerGrant other{"other", {"p2"}, {}};
  bridge.grant = &other;
  bridge.sequenced(2, kA, false, 0);
  bridge.grant = nullptr;
  CHECK(bridge.rejected(Reject::forbidden_id) == 1);
  CHECK(bridge.rejected(Reject::bad_stamp) == 0);
  CHECK(bridge.commit() == "20 a, @p1 ack");
  bridge.sequenced(2, kA, false, 0);
  bridge.sequenced(3, kB, false, static_cast<Micros>(kIntegerLimit));
  bridge.sequenced(4, kB);
  bridge.wait(10ms);
  CHECK(bridge.commit() == "lost 2-3, 30 b, 40 $sys.rejected, 50 $sys.rejected, @p1 ack");
  CHECK(bridge.rejected(Reject::bad_stamp) == 2);
}

TEST_CASE("a hole is asked for; the replayed event comes over the control socket") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  bridge.sequenced(2, kB);
  CHECK(bridge.commit() == "@p1 rep");
  bridge.replayed(1, kA);
  CHECK(bridge.commit() == "20 a, 30 b, @p1 ack");
}

TEST_CASE("a loss stands where it happened, between the events around it") {
  SpineFixture bridge;
  bridge.hello();
  bridge.sequenced(1, kA);
  bridge.sequenced(4, kB);
  bridge.control({R"({"type":"gone","v":1,"producer":"p1","epoch":9,"from":2,"to":3})"});
  CHECK(bridge.commit() == "10 a, lost 2-3, 20 b, 30 $sys.producer.p1, @p1 ack, @p1 wel");
  CHECK(bridge.counters().lost == 2);
  CHECK(bridge.output.batch->lost.front().after == 19);  // behind 10 and before 20
  CHECK(bridge.output.batch->lost.front().appended != 0);
  CHECK(bridge.output.to_producers.front().message.lost == std::vector<std::pair<Seq, Seq>>{{2, 3}});
}

TEST_CASE("a commit of nothing but a loss is a batch all the same") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  bridge.control({R"({"type":"beat","v":1,"producer":"p1","epoch":9,"first":4,"last":3})"});
  bridge.wait(200ms);
  CHECK(bridge.commit() == "lost 1-3, @p1 ack");
  CHECK(bridge.output.batch->head == 10);
}

TEST_CASE("while the shards are behind nothing is taken: plain events count, sequenced ones are repaired") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  bridge.plain(kA, true);
  bridge.sequenced(1, kA, true);
  bridge.replayed(1, kA, true);
  CHECK(bridge.commit() == "nothing");
  CHECK(bridge.rejected(Reject::overload) == 1);
  CHECK(bridge.counters().deferred == 2);

  bridge.sequenced(2, kB);
  CHECK(bridge.commit() == "@p1 rep");
  bridge.replayed(1, kA);
  CHECK(bridge.commit() == "20 a, 30 b, @p1 ack");
}

TEST_CASE("every reason to refuse a message has its name and is counted; nothing is forwarded") {
  SpineFixture bridge;
  const std::string stamp(24, '\1');
  bridge.send({});
  bridge.send({"a", "b", "c"});
  CHECK(bridge.rejected(Reject::frame_count) == 2);
  bridge.send({"", "bad id", stamp, kA});
  CHECK(bridge.rejected(Reject::bad_producer) == 1);
  bridge.send({"", "p1", stamp.substr(1), kA});
  bridge.send({"", "p1", std::string(24, '\0'), kA});
  CHECK(bridge.rejected(Reject::bad_stamp) == 2);
  bridge.plain(R"({"type":"a","x":")" + std::string(100, 'x') + "\"}");
  CHECK(bridge.rejected(Reject::too_big) == 1);
  bridge.plain("{\"type\":\"\xff\"}");
  CHECK(bridge.rejected(Reject::invalid_utf8) == 1);
  bridge.plain("hello");
  CHECK(bridge.rejected(Reject::not_json) == 1);
  bridge.plain("7");
  CHECK(bridge.rejected(Reject::not_object) == 1);
  bridge.plain(R"({"type":"a)" + std::string("\",\"x\":") + std::string(64, '['));
  CHECK(bridge.rejected(Reject::too_deep) == 1);
  bridge.plain("{}");
  CHECK(bridge.rejected(Reject::no_type) == 1);
  bridge.plain(R"({"type":"a","type":"b"})");
  CHECK(bridge.rejected(Reject::duplicate_member) == 1);
  bridge.send({"a b", kA});
  CHECK(bridge.rejected(Reject::bad_topic) == 1);
  bridge.send({"b", kA});
  CHECK(bridge.rejected(Reject::topic_mismatch) == 1);
  bridge.send({"$sys.x", kA});
  CHECK(bridge.rejected(Reject::reserved) == 1);
  CHECK(bridge.commit() == "nothing");

  bridge.hello();
  bridge.sequenced(1, kA);
  bridge.sequenced(1, kA);
  CHECK(bridge.rejected(Reject::seq_backwards) == 1);
  bridge.sequenced(20'000'000, kA);
  CHECK(bridge.rejected(Reject::seq_range) == 1);
  bridge.control({"not json"});
  bridge.control({R"({"type":"hello","v":2,"producer":"p1","epoch":9,"first":1,"last":0,"acked":0})"});
  bridge.control({"event", "too", "few"});
  bridge.control({});
  CHECK(bridge.rejected(Reject::bad_control) == 4);
}

TEST_CASE("refusals are told as $sys.rejected and for the log, once a second and reason") {
  SpineFixture bridge;
  bridge.send({"b", kA});
  bridge.wait(50ms);
  CHECK(bridge.commit() == "10 $sys.rejected");
  CHECK(bridge.output.batch->events.front()->payload ==
        R"({"type":"$sys.rejected","reason":"topic_mismatch","count":1,"total":1,"detail":"b"})");
  REQUIRE(bridge.output.reports.size() == 1);
  CHECK(bridge.output.reports.front().reason == Reject::topic_mismatch);
  bridge.send({"b", kA});
  bridge.send({"b", kA});
  bridge.wait(50ms);
  CHECK(bridge.commit() == "nothing");
  bridge.wait(950ms);
  CHECK(bridge.commit() == "20 $sys.rejected");
  CHECK(bridge.output.reports.front().count == 2);
}

TEST_CASE("presence is an event of the stream") {
  SpineFixture bridge;
  bridge.hello();
  bridge.commit();
  CHECK(bridge.output.batch->events.front()->payload ==
        R"({"type":"$sys.producer","id":"p1","state":"online","epoch":9,"seq":0,"since":1700000000000000})");
  CHECK(bridge.output.batch->events.front()->policy->keep == Keep::latest);
  bridge.wait(5s);
  CHECK(bridge.commit() == "20 $sys.producer.p1");
  CHECK(bridge.output.batch->events.front()->payload ==
        R"({"type":"$sys.producer","id":"p1","state":"lost","epoch":9,"seq":0,"since":1700000005000000})");
}

TEST_CASE("while the stream keeps nothing, events are delivered and not acked, and $sys.health says so") {
  SpineFixture bridge;
  bridge.hello();
  (void)bridge.commit();
  bridge.stream.what_is_wrong = "disk full";
  bridge.wait(50ms);
  bridge.sequenced(1, R"({"type":"a"})");
  const auto degraded = bridge.commit();
  CHECK(degraded.find("$sys.health") != std::string::npos);
  CHECK(degraded.find(" a") != std::string::npos);
  CHECK(bridge.output.batch->degraded);
  CHECK(bridge.output.to_producers.empty());

  bridge.stream.what_is_wrong.clear();
  bridge.wait(50ms);
  CHECK(bridge.commit().find("$sys.health") != std::string::npos);
  CHECK_FALSE(bridge.output.batch->degraded);
  bridge.sequenced(2, R"({"type":"a"})");
  (void)bridge.commit();
  REQUIRE(bridge.output.to_producers.size() == 1);
  CHECK(bridge.output.to_producers[0].message.seq == 2);
}

TEST_CASE("how far a producer is goes to the stream with its events, once each time it moves") {
  SpineFixture bridge;
  bridge.hello();
  (void)bridge.commit();
  bridge.sequenced(1, R"({"type":"a"})");
  bridge.sequenced(2, R"({"type":"a"})");
  (void)bridge.commit();
  REQUIRE(bridge.stream.marks.size() == 1);
  CHECK(bridge.stream.marks[0].id == "p1");
  CHECK(bridge.stream.marks[0].have == 2);
  bridge.plain(R"({"type":"a"})");
  (void)bridge.commit();
  CHECK(bridge.stream.marks.empty());
}

TEST_CASE("who may go by other ids only neither speaks nor publishes as this one") {
  const ProducerGrant other{"other", {"p2", "p1-*"}, {}};
  SpineFixture spine;
  spine.hello();
  spine.commit();
  spine.grant = &other;
  spine.sequenced(1, R"({"type":"a"})");
  spine.replayed(1, R"({"type":"a"})");
  spine.control({R"({"type":"bye","v":1,"producer":"p1","epoch":9,"last":0})"});
  spine.plain(R"({"type":"b"})");
  CHECK(spine.rejected(Reject::forbidden_id) == 3);
  CHECK(spine.commit() == "20 b");
  spine.hello();
  spine.commit();
  REQUIRE(spine.output.to_producers.size() == 1);
  CHECK(spine.output.to_producers[0].message.reason == "forbidden");
  spine.grant = nullptr;
  spine.sequenced(1, R"({"type":"c"})");
  CHECK(spine.commit().find("c") != std::string::npos);
}

TEST_CASE("what may not be published to a topic is refused, keeps its place, and is not asked for again") {
  const ProducerGrant some{"some", {}, {*Pattern::parse("a"), *Pattern::parse("b.*")}};
  SpineFixture spine;
  spine.hello();
  spine.commit();
  spine.grant = &some;
  spine.sequenced(1, R"({"type":"secret"})");
  spine.sequenced(2, R"({"type":"a"})");
  spine.plain(R"({"type":"secret"})");
  spine.plain(R"({"type":"b"})");
  spine.send({"b.1", R"({"type":"b"})"});
  CHECK(spine.rejected(Reject::forbidden_topic) == 3);
  CHECK(spine.commit().find("a, 30 b.1") != std::string::npos);
}
