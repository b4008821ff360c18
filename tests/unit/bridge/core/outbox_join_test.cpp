// An outbox's last event grows by what joins it, and becomes a frame when it is looked at: whether anybody
// looks makes no difference to what a client gets, nor to what the outbox says it holds.
#include <doctest/doctest.h>

#include <random>

#include "bridge/core/joined.h"
#include "tests/unit/bridge/core/pressure_fixture.h"
#include "tests/unit/proto/allocations.h"

using namespace trestle;

namespace {

/// What bytes() and footprint() have to be.
void check_sizes(const PressureFixture& client) {
  std::size_t bytes = 0;
  const auto bytes_told = client.outbox.bytes();
  const auto pieces = client.waiting();
  for (const auto& piece : pieces) bytes += piece.size();
  REQUIRE(bytes_told == bytes);
  REQUIRE(client.outbox.footprint() == bytes + 128 * pieces.size());
}

/// The shortest event that merges.
EventPtr short_text(PressureFixture& client, const std::string& content) {
  return client.event("text.1", R"({"type":"t","content":")" + content + "\"}");
}

}  // namespace

TEST_CASE("a frame's size is known before it is made, on both sides of each length of its header") {
  PressureFixture client;
  for (const auto form : {Form::bare, Form::envelope, Form::meta}) {
    for (const std::size_t limit : {126U, 65'536U}) {
      for (auto size = limit - 110; size <= limit + 1; ++size) {
        const auto event = client.event("text.1", std::string(size, 'x'));
        Chunk made;
        append_event(made, form, event, false);
        REQUIRE(frame_size(form, *event, size, false) == made.bytes.size());
      }
    }
  }
}

TEST_CASE("while a text grows, the outbox knows its size") {
  PressureFixture looked_at;
  PressureFixture unseen;
  looked_at.squeeze();
  unseen.squeeze();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(1, static_cast<char>('a' + i % 26));
    looked_at.push({short_text(looked_at, piece)});
    unseen.push({short_text(unseen, piece)});
    all += piece;
    check_sizes(looked_at);
    REQUIRE(looked_at.outbox.bytes() == unseen.outbox.bytes());
    REQUIRE(unseen.outbox.first_frame() == unseen.outbox.bytes());
  }
  REQUIRE(looked_at.waiting() == unseen.waiting());
  unseen.write();
  CHECK(unseen.got() == "200:" + all);
}

TEST_CASE("a newer event may be shorter than all that it takes the place of") {
  PressureFixture client;
  client.squeeze();
  client.push(
      {client.event("text.1", R"({"type":"t","content":"a","more":")" + std::string(300, 'x') + "\"}")});
  client.push({short_text(client, "b"), short_text(client, "c")});
  check_sizes(client);
  client.write();
  CHECK(client.got() == "3:abc");
}

TEST_CASE("a frame joins no more once a byte of it is written, and before that it does") {
  PressureFixture measure;
  measure.squeeze();
  measure.push({short_text(measure, "a"), short_text(measure, "b")});
  for (std::size_t written = 0; written <= measure.outbox.bytes(); ++written) {
    PressureFixture client;
    client.squeeze();
    client.push({short_text(client, "a"), short_text(client, "b")});
    client.waiting();
    client.write(written);
    client.push({short_text(client, "c")});
    check_sizes(client);
    client.push({short_text(client, "d")});
    check_sizes(client);
    client.write();
    REQUIRE(client.got() == (written == 0 ? "4:abcd" : "2:ab 4:cd"));
    REQUIRE(client.outbox.written() == 4);
  }
}

TEST_CASE("what has joined stays whole, whatever becomes of the outbox") {
  PressureFixture client;
  client.squeeze();
  client.push({short_text(client, "a"), short_text(client, "b")});
  SUBCASE("no longer squeezed") {
    client.outbox.relax();
    client.push({short_text(client, "c")});
    client.write();
    CHECK(client.got() == "2:ab 3:c");
  }
  SUBCASE("squeezed anew: that one is closed, the next may grow") {
    client.outbox.relax();
    client.squeeze();
    client.push({short_text(client, "c"), short_text(client, "d")});
    client.write();
    CHECK(client.got() == "2:ab 4:cd");
  }
  SUBCASE("something waits behind it, and leaves") {
    client.push({client.event("state.a")});
    client.outbox.push(client.reply());
    client.push({client.event("state.a"), short_text(client, "c")});
    check_sizes(client);
    client.write();
    CHECK(client.got() == "2:ab - 4 5:c");
  }
  SUBCASE("dropped") {
    CHECK(client.outbox.drop_events(client.pressure).after == 0);
    CHECK(client.outbox.empty());
    CHECK(client.outbox.bytes() == 0);
    CHECK(client.pressure.report()[0].counters.reread == 1);
  }
  SUBCASE("withdrawn: the one after it does not bring it back") {
    client.outbox.withdraw([](const Event&) { return true; });
    check_sizes(client);
    client.push({short_text(client, "c"), short_text(client, "d")});
    client.write();
    CHECK(client.got() == "4:cd");
  }
  SUBCASE("dropped but for the frame that is begun") {
    client.push({client.event("log")});
    client.write(5);
    CHECK(client.outbox.drop_unwritten() == 2);
    check_sizes(client);
    client.write();
    CHECK(client.got() == "2:ab");
  }
}

TEST_CASE(
    "what joins costs its own length, not that of what has joined; the frame is made when it is asked for") {
  PressureFixture first;
  PressureFixture second;  // of the same shard
  first.squeeze();
  second.outbox.squeeze(first.pressure, true);
  std::size_t allocated = 0;
  constexpr int kCount = 1500;
  for (int i = 0; i < kCount; ++i) {
    const std::vector<EventPtr> events{first.text("text.1", "0123456789")};
    const auto chunk = PressureFixture::chunk(events);
    first.outbox.push(chunk);
    const auto before = allocated_bytes();
    second.outbox.push(chunk);
    allocated += allocated_bytes() - before;
  }
  const auto size = second.outbox.bytes();
  CHECK(size > kCount * 10);
  CHECK(allocated < 5 * size);  // one copy for each would be 750 times as much
  const auto before = allocated_bytes();
  second.write();
  CHECK(allocated_bytes() - before < 10 * size);
  CHECK(second.outbox.written() == kCount);
}

TEST_CASE("whatever is pushed, written, squeezed and dropped, sizes are right and nobody sees who looked") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned count) { return static_cast<int>(random() % count); };
    PressureFixture looked_at;
    PressureFixture unseen;
    auto& shard = looked_at.pressure;
    const auto both = [&](auto&& act) {
      act(looked_at);
      act(unseen);
    };
    for (int step = 0; step < 200; ++step) {
      switch (below(16)) {
        case 0: both([&](auto& client) { client.outbox.squeeze(shard, true); }); break;
        case 1: both([](auto& client) { client.outbox.relax(); }); break;
        case 2: both([](auto& client) { client.outbox.push(client.reply()); }); break;
        case 3: both([](auto& client) { client.outbox.push_pong(client.reply()); }); break;
        case 4: both([&](auto& client) { client.outbox.drop_unkept(shard, client.tell); }); break;
        case 5:
          if (below(8) == 0) both([&](auto& client) { client.outbox.drop_events(shard); });
          if (below(8) == 0) both([](auto& client) { client.outbox.drop_unwritten(); });
          if (below(8) == 0) {
            const auto is_refused = [](const Event& event) { return event.topic == "text.1"; };
            both([&](auto& client) { client.outbox.withdraw(is_refused); });
          }
          break;
        case 6:
        case 7:
        case 8: {
          const auto count = static_cast<std::size_t>(below(2) == 0 ? below(10) : below(600));
          both([&](auto& client) { client.write(count); });
          break;
        }
        default: {
          std::vector<EventPtr> events;
          for (int i = below(6); i >= 0; --i) {
            const auto key = std::to_string(below(2));
            switch (below(6)) {
              case 0: events.push_back(looked_at.event("state." + key)); break;
              case 1: events.push_back(looked_at.event("noise." + key)); break;
              default:
                events.push_back(looked_at.text("text." + key, std::string(1U << below(12), 'x'), below(2)));
            }
          }
          both([&](auto& client) { client.push(events); });
        }
      }
      check_sizes(looked_at);
      REQUIRE(unseen.outbox.bytes() == looked_at.outbox.bytes());
      REQUIRE(unseen.outbox.footprint() == looked_at.outbox.footprint());
      REQUIRE(unseen.outbox.first_frame() == looked_at.outbox.first_frame());
    }
    both([](auto& client) { client.write(); });
    REQUIRE(unseen.received == looked_at.received);
    REQUIRE(unseen.got().find('?') == std::string::npos);
  }
}
