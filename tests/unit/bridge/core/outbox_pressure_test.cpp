// What an outbox does with events when a client reads too slowly: squeezing, dropping, and what is left to
// read again.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/unit/bridge/core/pressure_fixture.h"

using namespace trestle;

TEST_CASE(
    "squeezed, the newest event of a latest topic waits at its own place, the older ones leave theirs") {
  PressureFixture client;
  client.push(
      {client.event("state.a"), client.event("state.b"), client.event("log"), client.event("state.a")});
  client.squeeze();
  client.push({client.event("state.b"), client.event("log")});
  CHECK(client.pressure.report().size() == 1);
  CHECK(client.pressure.report()[0].counters.replaced == 2);
  client.write();
  CHECK(client.got() == "3 4 5 6");
  CHECK(client.outbox.written() == 6);
}

TEST_CASE("not squeezed, nothing is left out") {
  PressureFixture client;
  client.push({client.event("state.a"), client.event("state.a")});
  client.squeeze();
  client.push({client.event("state.a")});
  client.outbox.relax();
  client.push({client.event("state.a")});
  client.write();
  CHECK(client.got() == "3 4");
}

TEST_CASE("an event of which something is written is not taken back") {
  PressureFixture client;
  client.push({client.event("state.a"), client.event("state.b")});
  client.squeeze();
  client.write(1);
  client.push({client.event("state.a"), client.event("state.b")});
  client.write();
  CHECK(client.got() == "1 3 4");
}

TEST_CASE("text joins the event directly before it") {
  PressureFixture client;
  SUBCASE("whether that one came before or after squeezing began") {
    client.push({client.text("text.1", "a"), client.text("text.1", "b")});
    client.squeeze();
    client.push({client.text("text.1", "c")});
    client.push({client.text("text.1", "d")});
    client.write();
    CHECK(client.got() == "4:abcd");
  }
  SUBCASE("of the same topic and merge_by only, and with nothing in between") {
    client.squeeze();
    client.push({client.text("text.1", "a"), client.text("text.2", "b"), client.text("text.2", "c", 2)});
    client.push({client.event("log"), client.text("text.2", "d", 2)});
    client.outbox.push(client.reply());
    client.push({client.text("text.2", "e", 2)});
    client.write();
    CHECK(client.got() == "1:a 2:b 3:c 4 5:d - 6:e");
  }
  SUBCASE("not if something of that one is written") {
    client.push({client.text("text.1", "a"), client.text("text.1", "b")});
    client.squeeze();
    client.write(1);
    client.push({client.text("text.1", "c")});
    client.write(5);
    client.push({client.text("text.1", "d")});
    client.write();
    CHECK(client.got() == "2:ab 4:cd");
  }
  SUBCASE("not for a client that could not tell") {
    client.outbox.squeeze(client.pressure, false);
    client.push({client.text("text.1", "a"), client.text("text.1", "b")});
    client.write();
    CHECK(client.got() == "1:a 2:b");
  }
  SUBCASE("its escapes as they are") {
    client.squeeze();
    client.push({client.text("text.1", R"(\"\\)"), client.text("text.1", R"(\u00e9)"),
                 client.text("text.1", R"(\n)")});
    client.write();
    CHECK(client.got() == "3:\"\\\u00e9\n");
  }
}

TEST_CASE("what has no text to join, or has it twice, comes as it is") {
  PressureFixture client;
  client.squeeze();
  for (const auto* payload :
       {R"({"type":"x","run_id":1,"content":"a"})", R"({"type":"x","run_id":1,"content":7})",
        R"({"type":"x","run_id":1})", R"({"type":"x","run_id":1,"content":"b","content":"c"})",
        R"({"type":"x","run_id":1,"run_id":2,"content":"d"})", R"({"type":"x","content":"e"})",
        R"({"type":"x","run_id":"1","content":"f"})", R"({"type":"x","run_id":1,"content":"g"})"}) {
    client.push({client.event("text.1", payload)});
  }
  client.write();
  CHECK(client.outbox.written() == 8);
  CHECK(client.pressure.report().empty());
}

TEST_CASE("text joins only if what merge_by points to is the same, whatever it is, or is in neither") {
  const std::vector<std::string> members = {"",
                                            R"("run_id":null,)",
                                            R"("run_id":true,)",
                                            R"("run_id":false,)",
                                            R"("run_id":{},)",
                                            R"("run_id":{"a":1},)",
                                            R"("run_id":{"a":2},)",
                                            R"("run_id":[],)",
                                            R"("run_id":[1],)",
                                            R"("run_id":[2],)",
                                            R"("run_id":1,)",
                                            R"("run_id":"1",)",
                                            R"("run_id":"",)",
                                            R"("run_id":"null",)"};
  for (const auto& one : members) {
    for (const auto& other : members) {
      CAPTURE(one);
      CAPTURE(other);
      PressureFixture client;
      client.squeeze();
      client.push({client.event("text.1", "{" + one + R"("type":"x","content":"a"})"),
                   client.event("text.1", "{" + other + R"("type":"x","content":"b"})")});
      client.write();
      CHECK(client.got() == (one == other ? "2:ab" : "1:a 2:b"));
    }
  }
}

TEST_CASE("a merged event does not grow without end") {
  PressureFixture client;
  client.squeeze();
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 7; ++i) client.push({client.text("text.1", piece)});
  client.write();
  CHECK(client.got() == "3:" + piece + piece + piece + " 6:" + piece + piece + piece + " 7:" + piece);
}

TEST_CASE("what nothing keeps is dropped where the policy allows it; a notice takes the place of the first") {
  PressureFixture client;
  client.push({client.event("log"), client.event("noise.a"), client.event("log"), client.event("noise.a"),
               client.event("state.a")});
  client.outbox.push(client.reply());
  client.push({client.event("noise.a")});
  CHECK_FALSE(client.all_kept());
  client.drop_unkept();
  CHECK(client.all_kept());
  client.push({client.event("alarm.a")});
  client.drop_unkept();
  CHECK_FALSE(client.all_kept());  // an alarm can't be left out
  client.write();
  CHECK(client.got() == "1 [2-6:3 noise.a] 3 5 - 7");
  CHECK(client.pressure.counters(*client.event("noise.c")).dropped == 3);
}

TEST_CASE("a notice of which nothing is written names also what is dropped later") {
  PressureFixture client;
  client.push({client.event("noise.a"), client.event("log")});
  client.drop_unkept();
  SUBCASE("whatever becomes of the outbox meanwhile") {
    client.squeeze();
    client.push({client.event("noise.b"), client.event("log")});
    client.drop_unkept();
    client.outbox.relax();
    client.push({client.event("noise.b")});
    client.drop_unkept();
    client.write();
    CHECK(client.got() == "[1-5:3 ] 2 4");
  }
  SUBCASE("but not once something of it is written") {
    client.write(1);
    client.push({client.event("noise.b"), client.event("log")});
    client.drop_unkept();
    client.write();
    CHECK(client.got() == "[1-1:1 noise.a] 2 [3-3:1 noise.b] 4");
  }
}

TEST_CASE("who reads on from the stream is told there what was dropped, if the notice was still to come") {
  PressureFixture client;
  client.push({client.event("log"), client.event("noise.a"), client.event("log")});
  client.drop_unkept();
  SUBCASE("it was") {
    auto unread = client.outbox.drop_events(client.pressure);
    CHECK(unread.after == 0);
    CHECK(client.outbox.empty());
    CHECK(unread.untold.from == 2);
    CHECK(unread.untold.count == 1);
    unread.untold.add(*client.event("noise.b"));
    CHECK(unread.untold.to == 4);
    CHECK(unread.untold.count == 2);
    CHECK(unread.untold.topic.empty());
  }
  SUBCASE("no event is ahead of it: it stays") {
    client.write(PressureFixture::chunk({client.event("log")})->bytes.size());
    const auto unread = client.outbox.drop_events(client.pressure);
    CHECK(unread.after == 1);
    CHECK(unread.untold.count == 0);
    client.push({client.event("noise.b")});
    client.drop_unkept();
    client.write();
    CHECK(client.got() == "1 [2-5:2 ]");
  }
  SUBCASE("it has begun to go out") {
    client.write(PressureFixture::chunk({client.event("log")})->bytes.size() + 1);
    const auto unread = client.outbox.drop_events(client.pressure);
    CHECK(unread.after == 1);
    CHECK(unread.untold.count == 0);
    client.write();
    CHECK(client.got() == "1 [2-2:1 noise.a]");
  }
}

TEST_CASE("a notice of the cursor stays, and is where to read on, if no event leaves ahead of it") {
  PressureFixture client;
  const auto live = [](Offset offset) {
    auto made = PressureFixture::reply();
    made->marks.push_back({offset, 0, made->bytes.size(), nullptr});
    made->live = true;
    return made;
  };
  auto replayed = std::make_shared<Chunk>();
  append_event(*replayed, Form::meta, client.event("log"), true);
  client.outbox.push(replayed);
  client.outbox.push(live(7));
  const auto ahead = client.outbox.bytes();
  client.head = 7;
  client.push({client.event("log")});
  client.outbox.push(live(8));
  SUBCASE("squeezed") { client.squeeze(); }
  SUBCASE("as it is") {}
  const auto unread = client.outbox.drop_events(client.pressure);
  CHECK(unread.after == 7);
  CHECK(unread.lives == 1);
  CHECK(client.outbox.bytes() == ahead);
  client.write();
  CHECK(client.got() == "1 -");
  CHECK(client.outbox.written() == 7);
}

TEST_CASE("what is refused to a client is withdrawn, but not the rest of a frame") {
  PressureFixture client;
  client.push({client.event("state.a"), client.event("log"), client.event("state.b")});
  client.outbox.push(client.reply());
  SUBCASE("squeezed") { client.squeeze(); }
  SUBCASE("as it is") {}
  client.write(5);
  const auto is_state = [](const Event& event) { return event.topic.rfind("state.", 0) == 0; };
  CHECK(client.outbox.holds(is_state));
  client.outbox.withdraw(is_state);
  CHECK_FALSE(client.outbox.holds(is_state));  // the first has begun to go out
  CHECK(client.outbox.holds([](const Event& event) { return event.topic == "log"; }));
  client.push({client.event("state.a")});
  client.write();
  CHECK(client.got() == "1 2 - 4");
}

TEST_CASE("a replay that moves no cursor may hold anything") {
  PressureFixture client;
  auto chunk = std::make_shared<Chunk>();
  append_event(*chunk, Form::meta, client.event("log"), true);
  client.outbox.push(chunk);
  CHECK(client.outbox.holds_replayed());
  client.write();
  CHECK_FALSE(client.outbox.holds_replayed());
}

TEST_CASE("dropping all events keeps replies and whole frames, and says where to read on") {
  PressureFixture measure;
  measure.push({measure.event("log"), measure.event("state.a"), measure.event("log")});
  for (std::size_t written = 0; written <= measure.outbox.bytes(); ++written) {
    for (const bool squeezed : {false, true}) {
      PressureFixture client;
      client.push({client.event("log"), client.event("state.a"), client.event("log")});
      client.outbox.push(client.reply());
      client.push({client.event("log")});
      if (squeezed) client.squeeze();
      client.write(written);
      const auto read_on = client.outbox.drop_events(client.pressure).after;
      client.write();
      REQUIRE(client.outbox.bytes() == 0);
      REQUIRE(client.outbox.written() == read_on);
      std::string expected;
      for (Offset offset = 1; offset <= read_on; ++offset) expected += std::to_string(offset) + " ";
      REQUIRE(client.got() == expected + "-");
    }
  }
}

TEST_CASE("the frame that is next is known, also in a chunk of many and once it is partly written") {
  PressureFixture client;
  CHECK(client.outbox.first_frame() == 0);
  client.push({client.event("log"), client.event("log")});
  const auto frame = client.outbox.bytes() / 2;
  CHECK(client.outbox.first_frame() == frame);
  client.write(frame - 1);
  CHECK(client.outbox.first_frame() == 1);
  client.write(1);
  CHECK(client.outbox.first_frame() == frame);
  client.push({client.event("log")});
  CHECK(client.outbox.first_frame() == frame);
}

TEST_CASE("an answer over HTTP counts as one frame") {
  PressureFixture client;
  auto answer = std::make_shared<Chunk>();
  answer->bytes = "HTTP/1.1 101 Switching Protocols";
  answer->frames = false;
  client.outbox.push(answer, 4);
  CHECK(client.outbox.first_frame() == answer->bytes.size() - 4);
}

namespace {

/// A client that must in the end have every character of every text once and in order, every log event once,
/// and of each state the newest.
class Model {
 public:
  void publish(const EventPtr& event) {
    newest_[event->topic] = event->offset;
    if (event->topic == "log") logged_.insert(event->offset);
  }
  void check(const std::string& received_text, const std::map<std::string, std::string>& texts) {
    std::set<Offset> seen;
    Offset last = 0;
    std::map<std::string, std::string> got_texts;
    for (std::size_t at = 0; at < received_text.size();) {
      const auto end = std::min(received_text.find(' ', at), received_text.size());
      const auto one = received_text.substr(at, end - at);
      at = end + 1;
      if (one == "-") continue;
      const Offset offset = std::strtoull(one.c_str(), nullptr, 10);
      REQUIRE(offset > last);
      last = offset;
      seen.insert(offset);
      if (const auto colon = one.find(':'); colon != std::string::npos) {
        got_texts[one.substr(colon + 1, 1)] += one.substr(colon + 1);
      }
    }
    REQUIRE(got_texts == texts);
    for (const auto& [topic, offset] : newest_) {
      if (topic.rfind("state", 0) == 0) REQUIRE(seen.count(offset) == 1);
    }
    for (const auto offset : logged_) REQUIRE(seen.count(offset) == 1);
  }

 private:
  std::map<std::string, Offset> newest_;
  std::set<Offset> logged_;
};

}  // namespace

TEST_CASE(
    "whatever is pushed, written, squeezed and relaxed, no character is lost, doubled or out of order") {
  const char* seed_of_environment = std::getenv("TRESTLE_OUTBOX_SEED");
  const unsigned long first =
      seed_of_environment != nullptr ? std::strtoul(seed_of_environment, nullptr, 10) : 1;
  const unsigned long last = seed_of_environment != nullptr ? first : 300;
  for (auto seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    auto below = [&](unsigned count) { return static_cast<int>(random() % count); };
    PressureFixture client;
    Model model;
    std::map<std::string, std::string> texts;
    int number = 0;
    for (int step = 0; step < 400; ++step) {
      switch (below(8)) {
        case 0: client.squeeze(); break;
        case 1: client.outbox.relax(); break;
        case 2: client.outbox.push(client.reply()); break;
        case 3: client.write(static_cast<std::size_t>(below(400))); break;
        default: {
          std::vector<EventPtr> events;
          for (int i = below(5); i >= 0; --i) {
            const std::string key(1, static_cast<char>('a' + below(3)));
            if (below(2) == 0) {
              const auto piece = key + std::to_string(number++) + ";";
              texts[key] += piece;
              events.push_back(client.text("text." + key, piece));
            } else {
              events.push_back(client.event(below(3) == 0 ? "log" : "state." + key));
            }
            model.publish(events.back());
          }
          client.push(events);
        }
      }
      REQUIRE(client.outbox.empty() == (client.outbox.bytes() == 0));
    }
    client.write();
    REQUIRE(client.outbox.written() == client.head);
    model.check(client.got(), texts);
  }
}
