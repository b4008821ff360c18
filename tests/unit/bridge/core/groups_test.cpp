#include "bridge/core/groups.h"

#include <doctest/doctest.h>

#include <array>
#include <ostream>

#include "fixtures.h"

using namespace trestle;

namespace {

/// A session that keeps what it gets.
class Listener final : public Receiver {
 public:
  void deliver(const ChunkPtr& chunk) override { chunks.push_back(chunk); }
  /// The frames' texts of all chunks, each in brackets; our frames here are all shorter than 65,536 bytes.
  std::string heard() {
    std::string text;
    for (const auto& chunk : std::exchange(chunks, {})) text += frames_of(*chunk);
    return text.empty() ? "nothing" : text;
  }
  static std::string frames_of(const Chunk& chunk) {
    std::string text;
    for (std::size_t at = 0; at < chunk.bytes.size();) {
      const auto byte = [&](std::size_t i) {
        return std::size_t{static_cast<unsigned char>(chunk.bytes.at(i))};
      };
      const auto small = byte(at + 1);
      const std::size_t header = small == 126 ? 4 : 2;
      const auto size = small == 126 ? byte(at + 2) << 8 | byte(at + 3) : small;
      text += "[" + chunk.bytes.substr(at + header, size) + "]";
      at += header + size;
    }
    return text;
  }
  std::vector<ChunkPtr> chunks;
};

Subscription to(const std::string& patterns, Form form = Form::bare) {
  Subscription wanted;
  wanted.form = form;
  const auto parsed = parse_patterns(patterns);
  for (const auto& pattern : parsed.value()) wanted.add(pattern);
  return wanted;
}

class GroupsFixture {
 public:
  /// Publishes events whose payload is their topic, as one batch.
  void publish(const std::vector<std::string>& topics) {
    for (const auto& topic : topics) add(topic);
    flush();
  }
  void add(const std::string& topic, std::size_t padding = 0) {
    auto event = std::make_shared<Event>();
    event->offset = ++batch_.head;
    event->time = 5;
    event->topic = topic;
    event->payload = '"' + topic + std::string(padding, 'x') + '"';
    event->policy = &policies_.find(topic);
    batch_.events.push_back(std::move(event));
  }
  void lose(Seq from, Seq to) { batch_.lost.push_back({"p1", from, to, batch_.events.size(), batch_.head}); }
  void flush() {
    wait();
    groups.hand_out();
  }
  /// The batch is added, but not handed out.
  void wait() {
    groups.add(batch_, "77");
    batch_.events.clear();
    batch_.lost.clear();
  }

  Groups groups{16};

 private:
  PolicyTable policies_{{}};
  Batch batch_;
};

}  // namespace

TEST_CASE("a subscription is a set: sorted, nothing twice, equal ones have the same key") {
  CHECK(to("b,a,c").key() == to("c,b,a,b").key());
  CHECK(to("a").key() != to("a,b").key());
  CHECK(to("a", Form::bare).key() != to("a", Form::meta).key());
  CHECK(to("a", Form::envelope).key() != to("a", Form::meta).key());
  auto wanted = to("a.*");
  CHECK_FALSE(wanted.add(*Pattern::parse("a.*")));
  CHECK(wanted.add(*Pattern::parse("a.>")));
  CHECK_FALSE(wanted.remove(*Pattern::parse("a.b")));  // matched, but not equal
  CHECK(wanted.remove(*Pattern::parse("a.*")));
  CHECK(wanted.key() == to("a.>").key());
  CHECK(wanted.matches("a.b.c"));
  CHECK_FALSE(to("").matches("a"));
}

TEST_CASE("of all batches that wait, each receiver gets one chunk") {
  GroupsFixture stream;
  Listener first, second, both, idle;
  stream.groups.join(to("task.1"), &first);
  stream.groups.join(to("task.2"), &second);
  stream.groups.join(to("task.*"), &both);
  stream.groups.join(to("queue"), &idle);
  for (const auto* topic : {"task.1", "task.2", "task.1", "unwanted"}) {
    stream.add(topic);
    stream.wait();
  }
  CHECK(stream.groups.has_waiting());
  stream.groups.hand_out();
  CHECK(stream.groups.hand_overs() == 3);
  CHECK_FALSE(stream.groups.has_waiting());
  for (const auto* listener : {&first, &second, &both}) CHECK(listener->chunks.size() == 1);
  CHECK(first.heard() == R"(["task.1"]["task.1"])");
  CHECK(second.heard() == R"(["task.2"])");
  CHECK(both.heard() == R"(["task.1"]["task.2"]["task.1"])");
  CHECK(idle.heard() == "nothing");
  stream.groups.hand_out();
  CHECK(stream.groups.hand_overs() == 3);
}

TEST_CASE("events are handed out when 512 or 256 KiB wait for one receiver, or 1 MiB for all") {
  GroupsFixture stream;
  std::vector<Listener> crowd(1'000);
  for (std::size_t i = 0; i < crowd.size(); ++i)
    stream.groups.join(to("task." + std::to_string(i)), &crowd[i]);
  const auto add = [&](int from, int to, std::size_t padding = 0) {
    for (int i = from; i < to; ++i) stream.add("task." + std::to_string(i), padding);
  };
  SUBCASE("512 events, in the middle of a batch") {
    for (int i = 0; i < 511; ++i) stream.add("task.1");
    for (int i = 0; i < 100; ++i) stream.add("unwanted");
    add(0, 500);
    stream.wait();
    CHECK(crowd[0].chunks.size() == 1);  // up to the 512th of task.1
    CHECK(crowd[1].chunks.size() == 1);
    CHECK(crowd[2].chunks.empty());
    CHECK(stream.groups.has_waiting());
    stream.groups.hand_out();
    CHECK(crowd[1].chunks.size() == 1);
    CHECK(crowd[499].chunks.size() == 1);
  }
  SUBCASE("bytes of one") {
    add(1, 2, 300'000);
    stream.wait();
    CHECK(crowd[1].chunks.size() == 1);
  }
  SUBCASE("bytes of all") {
    add(0, 500, 2'000);
    stream.wait();
    CHECK(crowd[0].chunks.empty());
    add(500, 550, 2'000);
    stream.wait();
    CHECK(crowd[0].chunks.size() == 1);
    CHECK(crowd[549].chunks.empty());
  }
}

TEST_CASE("every session gets what it subscribed to, once, in order") {
  GroupsFixture stream;
  Listener all, tasks, overlapping, none;
  stream.groups.join(to(">"), &all);
  stream.groups.join(to("task.*"), &tasks);
  stream.groups.join(to("task.1,task.*,>"), &overlapping);
  stream.groups.join(to(""), &none);
  stream.publish({"task.1", "queue", "task.2", "$sys.rejected"});
  CHECK(all.heard() == R"(["task.1"]["queue"]["task.2"])");
  CHECK(tasks.heard() == R"(["task.1"]["task.2"])");
  CHECK(overlapping.heard() == R"(["task.1"]["queue"]["task.2"])");
  CHECK(none.heard() == "nothing");
  CHECK(stream.groups.deliveries() == 8);
}

TEST_CASE("sessions with the same subscription share one buffer per batch") {
  GroupsFixture stream;
  Listener one, two, other;
  stream.groups.join(to("a,b"), &one);
  stream.groups.join(to("b,a"), &two);
  stream.groups.join(to("a"), &other);
  CHECK(stream.groups.size() == 2);
  stream.publish({"a", "b"});
  REQUIRE(one.chunks.size() == 1);
  REQUIRE(two.chunks.size() == 1);
  CHECK(one.chunks.front() == two.chunks.front());
  CHECK(one.chunks.front() != other.chunks.front());
}

TEST_CASE("each form is spliced around the producer's bytes") {
  GroupsFixture stream;
  Listener bare, envelope, meta;
  stream.groups.join(to(">", Form::bare), &bare);
  stream.groups.join(to(">", Form::envelope), &envelope);
  stream.groups.join(to(">", Form::meta), &meta);
  stream.publish({"a"});
  CHECK(bare.heard() == R"(["a"])");
  CHECK(envelope.heard() == R"([{"success":true,"data":"a"}])");
  CHECK(meta.heard() == R"([{"success":true,"data":"a","meta":{"topic":"a","offset":1,"time":5}}])");
}

TEST_CASE("who comes is heard from the next batch on, who leaves no longer") {
  GroupsFixture stream;
  Listener first, second;
  auto& group = stream.groups.join(to("a"), &first);
  stream.publish({"a"});
  CHECK(first.heard() == R"(["a"])");

  auto& wider = stream.groups.join(to(">"), &second);  // `a` is matched already: the cache must not hide it
  stream.publish({"a"});
  CHECK(first.heard() == R"(["a"])");
  CHECK(second.heard() == R"(["a"])");

  stream.groups.leave(wider, &second);
  CHECK(stream.groups.size() == 1);
  stream.publish({"a"});
  CHECK(first.heard() == R"(["a"])");
  CHECK(second.heard() == "nothing");

  stream.groups.leave(group, &first);
  CHECK(stream.groups.size() == 0);
  stream.publish({"a"});
  CHECK(first.heard() == "nothing");
}

TEST_CASE("one member leaves, the others stay") {
  GroupsFixture stream;
  Listener a, b, c;
  auto& group = stream.groups.join(to(">"), &a);
  stream.groups.join(to(">"), &b);
  stream.groups.join(to(">"), &c);
  stream.groups.leave(group, &a);
  stream.groups.leave(group, &a);  // not a member any more
  CHECK(group.size() == 2);
  stream.publish({"x"});
  CHECK(a.heard() == "nothing");
  CHECK(b.heard() == R"(["x"])");
  CHECK(c.heard() == R"(["x"])");
}

TEST_CASE("marks say where each event's frame ends") {
  GroupsFixture stream;
  Listener meta;
  stream.groups.join(to("a,b", Form::meta), &meta);
  stream.add("a");
  stream.add("unwanted");
  stream.lose(3, 4);
  stream.add("b");
  stream.flush();
  REQUIRE(meta.chunks.size() == 1);
  const auto& chunk = *meta.chunks.front();
  REQUIRE(chunk.marks.size() == 2);
  CHECK(chunk.marks[0].offset == 1);
  CHECK(chunk.marks[1].offset == 3);
  CHECK(chunk.marks[1].end == chunk.bytes.size());
  Chunk head;
  head.bytes = chunk.bytes.substr(0, chunk.marks[0].end);
  CHECK(Listener::frames_of(head) ==
        R"([{"success":true,"data":"a","meta":{"topic":"a","offset":1,"time":5}}])");
}

TEST_CASE("a loss is told where it happened, to meta sessions only, whatever they subscribe to") {
  GroupsFixture stream;
  Listener meta, narrow, plain;
  stream.groups.join(to(">", Form::meta), &meta);
  stream.groups.join(to("", Form::meta), &narrow);
  stream.groups.join(to(">", Form::envelope), &plain);
  stream.add("a");
  stream.lose(5, 9);
  stream.add("b");
  stream.lose(11, 11);
  stream.flush();
  const std::string first =
      R"([{"success":true,"data":{"type":"gap","reason":"lost","epoch":"77","offset":1,"producer":"p1","seq_from":5,"seq_to":9,"count":5}}])";
  const std::string second =
      R"([{"success":true,"data":{"type":"gap","reason":"lost","epoch":"77","offset":2,"producer":"p1","seq_from":11,"seq_to":11,"count":1}}])";
  CHECK(narrow.heard() == first + second);
  CHECK(meta.heard() == R"([{"success":true,"data":"a","meta":{"topic":"a","offset":1,"time":5}}])" + first +
                            R"([{"success":true,"data":"b","meta":{"topic":"b","offset":2,"time":5}}])" +
                            second);
  CHECK(plain.heard() == R"([{"success":true,"data":"a"}][{"success":true,"data":"b"}])");

  SUBCASE("a batch of nothing but losses is delivered too") {
    stream.lose(12, 12);
    stream.flush();
    CHECK(narrow.heard().find(R"("offset":2,"producer":"p1","seq_from":12)") != std::string::npos);
    CHECK(plain.heard() == "nothing");
  }
}

TEST_CASE("more topics than the match cache holds are matched all the same") {
  GroupsFixture stream;
  Listener all;
  stream.groups.join(to(">"), &all);
  for (std::size_t i = 0; i <= Groups::kMaxCached; ++i) stream.add("t." + std::to_string(i));
  stream.flush();
  stream.publish({"t.0"});
  CHECK(stream.groups.deliveries() == Groups::kMaxCached + 2);
}

TEST_CASE_FIXTURE(GroupsFixture, "an event is compressed once per form, for the groups that take that") {
  std::array<Listener, 6> listeners;
  const auto join = [&](std::size_t i, const char* topics, Form form, bool deflate) {
    auto wanted = to(topics, form);
    wanted.deflate = deflate;
    groups.join(wanted, &listeners.at(i));
  };
  join(0, ">", Form::bare, true);
  join(1, ">", Form::bare, true);
  join(2, "aaaa.*", Form::bare, true);
  join(3, ">", Form::envelope, true);
  join(4, ">", Form::bare, false);
  join(5, ">", Form::envelope, false);
  CHECK(groups.size() == 5);  // the first two are one
  const std::string topic = "aaaa." + std::string(200, 'b');
  publish({topic});
  CHECK(groups.deflated() == 2);

  const auto plain = listeners[4].chunks.at(0)->bytes;  // a copy: heard() lets go of it
  const auto& packed = listeners[0].chunks.at(0)->bytes;
  CHECK(listeners[1].chunks.at(0) == listeners[0].chunks.at(0));
  CHECK(listeners[2].chunks.at(0)->bytes == packed);
  CHECK(listeners[3].chunks.at(0)->bytes.front() == '\xC1');
  CHECK(plain.front() == '\x81');
  CHECK(packed.front() == '\xC1');
  CHECK(listeners[4].heard() == "[\"" + topic + "\"]");
  Inflater inflater;
  std::string text;
  REQUIRE(inflater.inflate(std::string_view(packed).substr(2), 1000, text) == Inflated::ok);
  CHECK(text == '"' + topic + '"');
  const auto saved = [](const Listener& a, std::size_t size) { return size - a.chunks.at(0)->bytes.size(); };
  const auto in_envelope = listeners[5].chunks.at(0)->bytes.size();
  CHECK(groups.deflate_saved() == 3 * saved(listeners[0], plain.size()) + saved(listeners[3], in_envelope));
  const auto& mark = listeners[0].chunks.at(0)->marks.at(0);
  CHECK((mark.begin == 0 && mark.end == packed.size()));
}

TEST_CASE_FIXTURE(GroupsFixture, "what is short, or does not shrink, goes out as it is") {
  Listener listener;
  auto wanted = to(">");
  wanted.deflate = true;
  groups.join(wanted, &listener);
  publish({"a.bcdefghijkl"});  // 15 bytes with its quotes
  CHECK(groups.deflated() == 0);
  publish({"a.bcdefghijklm"});  // 16, and no letter twice
  CHECK(groups.deflated() == 1);
  CHECK(listener.heard() == "[\"a.bcdefghijkl\"][\"a.bcdefghijklm\"]");
  CHECK(groups.deflate_saved() == 0);
}
