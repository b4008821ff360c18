#include "clients/cli/incoming.h"

#include <doctest/doctest.h>

#include <functional>

#include "proto/envelope.h"
#include "proto/notice.h"

using namespace trestle;
using namespace trestle::cli;
using Kind = Incoming::Kind;

namespace {

std::string event(Offset offset, bool replay = false, const std::string& payload = R"({"type":"t"})") {
  std::string out;
  append_form(out, Form::meta, payload, Meta{"t", offset, 1'000'000, replay});
  return out;
}

struct Client {
  IncomingReader reader;
  std::string cursor_after(const std::string& message) {
    reader.read(message);
    return reader.cursor();
  }
};

}  // namespace

TEST_CASE("an event comes out as its producer wrote it, on one line") {
  IncomingReader reader;
  const Incoming in =
      reader.read(event(5, false, "{ \"type\" : \"t\",\n \"n\": 1.50, \"meta\":{\"topic\":\"x\"} }"));
  CHECK(in.kind == Kind::event);
  CHECK(in.payload == "{ \"type\" : \"t\",  \"n\": 1.50, \"meta\":{\"topic\":\"x\"} }");
  CHECK(in.topic == "t");
  CHECK(in.time == 1'000'000);
}

TEST_CASE("the cursor") {
  Client client;
  CHECK(client.cursor_after(welcome_notice("17", 100, "s", std::chrono::milliseconds(30'000))) == "");
  SUBCASE("does not move with the snapshot, but with the live that follows") {
    CHECK(client.cursor_after(event(90, true)) == "");
    CHECK(client.cursor_after(live_notice("17", 100)) == "17:100");
  }
  SUBCASE("moves with live events and with what since replays") {
    CHECK(client.cursor_after(event(101)) == "17:101");
  }
  SUBCASE("moves with cursor notices while idle") {
    CHECK(client.cursor_after(cursor_notice("17", 250)) == "17:250");
  }
  SUBCASE("enters a new epoch with its first event, not with the gap") {
    client.cursor_after(event(101));
    Gap gap;
    gap.reason = GapReason::epoch;
    gap.epoch = "18";
    CHECK(client.cursor_after(gap_notice(gap)) == "17:101");
    CHECK(client.cursor_after(event(1)) == "18:1");
  }
  SUBCASE("may be named by the bridge") {
    client.reader.set_cursor("17:99");
    CHECK(client.reader.cursor() == "17:99");
    client.reader.set_cursor("nonsense");
    client.reader.set_cursor("17:9x");
    CHECK(client.reader.cursor() == "17:99");
  }
}

TEST_CASE("what was seen before a reconnect and comes again in a snapshot is a repetition") {
  IncomingReader reader;
  const std::string welcome = welcome_notice("17", 100, "s", std::chrono::milliseconds(30'000));
  reader.read(welcome);
  CHECK(reader.read(event(90, true)).kind == Kind::event);
  reader.read(live_notice("17", 100));
  reader.read(welcome);
  CHECK(reader.read(event(90, true)).kind == Kind::repeated);
  CHECK(reader.read(event(120, true)).kind == Kind::event);
  SUBCASE("but not in another epoch") {
    reader.read(welcome_notice("18", 100, "s", std::chrono::milliseconds(30'000)));
    CHECK(reader.read(event(90, true)).kind == Kind::event);
  }
}

TEST_CASE("notices") {
  IncomingReader reader;
  CHECK(reader.read(welcome_notice("17", 1, "s", std::chrono::milliseconds(12'345))).heartbeat.count() ==
        12'345);
  const Incoming drain =
      reader.read(drain_notice(std::chrono::milliseconds(2'000), std::chrono::milliseconds(500)));
  CHECK(drain.kind == Kind::drain);
  CHECK(drain.after.count() == 2'000);
  CHECK(drain.spread.count() == 500);
}

TEST_CASE("a gap says what is missing and why") {
  const auto words = [](GapReason reason, const std::function<void(Gap&)>& fill) {
    Gap gap;
    gap.reason = reason;
    gap.epoch = "17";
    fill(gap);
    return IncomingReader().read(gap_notice(gap)).text;
  };
  CHECK(words(GapReason::lost, [](Gap& gap) {
          gap.producer = "p1";
          gap.seq_from = 4;
          gap.seq_to = 9;
          gap.count = 6;
        }) == "6 events of producer p1 (seq 4 to 9) never reached the bridge, and can't be sent again");
  CHECK(words(GapReason::lost, [](Gap& gap) {
          gap.producer = "p1";
          gap.seq_from = gap.seq_to = 4;
          gap.count = 1;
        }) == "1 event of producer p1 (seq 4) never reached the bridge, and can't be sent again");
  CHECK(words(GapReason::dropped,
              [](Gap& gap) {
                gap.from = 10;
                gap.to = 90;
                gap.count = 7;
                gap.topic = "load";
              }) ==
        "7 events of topic load, offset 10 to 90, left out because this client was too slow; nothing keeps "
        "them");
  CHECK(words(GapReason::trimmed, [](Gap& gap) {
          gap.from = 10;
          gap.to = 90;
        }) == "of the events with offset 10 to 90 some are kept no longer; what is kept follows");
  CHECK(words(GapReason::epoch, [](Gap&) {}) ==
        "the bridge counts anew (epoch 17): what was missed before can't be told; what is kept follows");
}

TEST_CASE("an event that looks like a notice is none") {
  IncomingReader reader;
  const Incoming in = reader.read(event(5, false, R"({"type":"cursor","epoch":"1","offset":7})"));
  CHECK(in.kind == Kind::event);
}

TEST_CASE("nonsense is unknown, an error envelope is an error") {
  IncomingReader reader;
  for (const char* text :
       {"", "x", "[]", "{}", R"({"success":true})", R"({"data":3})", R"({"data":{"type":"new"}})"}) {
    CHECK(reader.read(text).kind == Kind::unknown);
  }
  const Incoming in =
      reader.read(R"({"success":false,"data":{"type":"error","code":"forbidden","message":"no"}})");
  CHECK(in.kind == Kind::error);
  CHECK(in.text == "forbidden: no");
}
