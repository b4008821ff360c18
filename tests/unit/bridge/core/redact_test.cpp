#include "bridge/core/redact.h"

#include <doctest/doctest.h>

#include <array>
#include <ostream>

#include "bridge/core/groups.h"
#include "bridge/core/replay.h"

using namespace trestle;

namespace {

Policy own(const std::string& match, Keep keep, Redact redact) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.keep = keep;
  made.redact = std::move(redact);
  return made;
}

std::vector<Policy> policies() {
  auto text = own("text.*", Keep::log, {{"/secret"}, "secrets"});
  text.under_pressure = UnderPressure::merge;
  text.merge = "/content";
  auto hidden_text = own("hidden-text.*", Keep::log, {{"/content"}, "outputs"});
  hidden_text.under_pressure = UnderPressure::merge;
  hidden_text.merge = "/content";
  return {own("job.*", Keep::log, {{"/password", "/env/*"}, "secrets"}),
          own("state.*", Keep::latest, {{"/s"}, ""}), std::move(text), std::move(hidden_text)};
}

const PolicyTable& table() {
  static const PolicyTable made(policies());
  return made;
}

Hidden hidden_from(const std::vector<std::string>& scopes) {
  return table().hidden_from(*parse_scopes(scopes, "alice"));
}

EventPtr event(const std::string& topic, const std::string& payload, Offset offset = 1) {
  auto made = std::make_shared<Event>();
  made->offset = offset;
  made->time = 5;
  made->appended = 5;
  made->topic = topic;
  made->payload = payload;
  made->policy = &table().find(topic);
  return made;
}

std::string seen(const std::string& topic, const std::string& payload,
                 const std::vector<std::string>& scopes) {
  const auto shown = redacted(event(topic, payload), hidden_from(scopes));
  return shown ? shown->payload : "NOTHING";
}

class Listener final : public Receiver {
 public:
  void deliver(const ChunkPtr& chunk) override { chunks.push_back(chunk); }
  std::string heard() const {
    std::string all;
    for (const auto& chunk : chunks) all += chunk->bytes;
    return all;
  }
  std::vector<ChunkPtr> chunks;
};

Subscription everything(Form form, const std::vector<std::string>& scopes, bool deflate = false) {
  Subscription wanted;
  wanted.form = form;
  wanted.deflate = deflate;
  wanted.hidden = hidden_from(scopes);
  wanted.add(*Pattern::parse(">"));
  return wanted;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::string kJob = R"({"type":"job","password":"hunter2","env":{"K":"hunter2"},"n":1})";

}  // namespace

TEST_CASE("a session sees what its scopes show it") {
  CHECK(seen("job.1", kJob, {"read"}) == R"({"type":"job","env":{},"n":1})");
  CHECK(seen("job.1", kJob, {"read", "see:outputs"}) == R"({"type":"job","env":{},"n":1})");
  CHECK(seen("job.1", kJob, {"see:secrets"}) == kJob);
  CHECK(seen("job.1", kJob, {"see"}) == kJob);
  CHECK(seen("job.1", kJob, {"admin"}) == kJob);
  CHECK(seen("job", kJob, {"read"}) == R"({"type":"job","env":{},"n":1})");  // the bare type
  CHECK(seen("other", kJob, {"read"}) == kJob);
}

TEST_CASE("without unless only see and admin show it") {
  const std::string state = R"({"type":"state","s":1})";
  CHECK(seen("state.1", state, {"read", "see:secrets", "see:outputs"}) == R"({"type":"state"})");
  CHECK(seen("state.1", state, {"see"}) == state);
  CHECK(seen("state.1", state, {"admin"}) == state);
}

TEST_CASE("an event that has nothing to hide is shared, not copied; of what is no JSON nothing is shown") {
  const auto plain = event("job.1", R"({"type":"job"})");
  CHECK(redacted(plain, hidden_from({})) == plain);
  CHECK(seen("job.1", R"({"type":"job","password":)", {}) == "NOTHING");
  const auto shown = redacted(event("job.1", kJob, 7), hidden_from({}));
  CHECK(shown->offset == 7);
  CHECK(shown->topic == "job.1");
  CHECK(shown->policy == &table().find("job.1"));
}

TEST_CASE("equal sights share a group; each form is encoded without what is hidden") {
  Groups groups(16);
  Listener blind, also_blind, sees, bare, meta, deflated;
  auto& group = groups.join(everything(Form::envelope, {"read"}), &blind);
  CHECK(&groups.join(everything(Form::envelope, {"publish"}), &also_blind) == &group);
  CHECK(&groups.join(everything(Form::envelope, {"see"}), &sees) != &group);
  groups.join(everything(Form::bare, {}), &bare);
  groups.join(everything(Form::meta, {"see:outputs"}), &meta);
  groups.join(everything(Form::meta, {}, true), &deflated);
  Batch batch;
  batch.events = {event("job.1", kJob), event("job.2", R"({"type":"job","password":{"hunter2":[]}})", 2),
                  event("open", R"({"type":"open"})", 3)};
  groups.add(batch, "1");
  groups.hand_out();
  for (const auto* listener : {&blind, &bare, &meta, &deflated}) {
    CHECK(listener->chunks.size() == 1);
    CHECK(listener->chunks[0]->marks.size() == 3);
    CHECK_FALSE(contains(listener->heard(), "hunter2"));
    for (const auto& mark : listener->chunks[0]->marks) CHECK_FALSE(contains(mark.event->payload, "hunter2"));
  }
  CHECK(blind.chunks[0] == also_blind.chunks[0]);
  CHECK(contains(blind.heard(), R"({"success":true,"data":{"type":"job","env":{},"n":1}})"));
  CHECK(contains(bare.heard(), R"({"type":"job","env":{},"n":1})"));
  CHECK(contains(meta.heard(), R"({"type":"job","env":{},"n":1},"meta":{"topic":"job.1","offset":1,)"));
  CHECK(contains(sees.heard(), kJob));
  CHECK(contains(sees.heard(), R"({"type":"job","password":{"hunter2":[]}})"));
}

TEST_CASE("a replay hides the same, of the log and of the snapshot, also after it has begun") {
  History history(table());
  Snapshot snapshot(table());
  for (Offset offset = 1; offset <= 4; ++offset) {
    const bool state = offset % 2 == 0;
    const auto one = event(state ? "state." + std::to_string(offset) : "job.1",
                           state ? R"({"s":"hunter2"})" : kJob, offset);
    history.apply(one);
    snapshot.apply(one);
  }
  auto blind = Replay::resume(history, everything(Form::meta, {}), 0);
  auto piece = blind.next(history, snapshot, "1", 4, 1 << 20);
  REQUIRE(piece.chunk);
  CHECK(piece.chunk->marks.size() == 4);
  CHECK_FALSE(contains(piece.chunk->bytes, "hunter2"));

  auto changing = Replay::resume(history, everything(Form::meta, {"see"}), 0);
  piece = changing.next(history, snapshot, "1", 4, 1);
  CHECK(contains(piece.chunk->bytes, "hunter2"));
  changing.hide(hidden_from({}));
  piece = changing.next(history, snapshot, "1", 4, 1 << 20);
  CHECK(piece.chunk->marks.size() == 3);
  CHECK_FALSE(contains(piece.chunk->bytes, "hunter2"));
  CHECK(changing.wanted().key() == everything(Form::meta, {}).key());
}

TEST_CASE("what is merged under pressure has nothing hidden in it") {
  Groups groups;
  Pressure pressure(table(), {});
  Outbox outbox;
  Listener blind;
  groups.join(everything(Form::meta, {}), &blind);
  outbox.squeeze(pressure, true);
  const auto push = [&](const std::string& topic, const std::string& payload, Offset offset) {
    Batch batch;
    batch.events = {event(topic, payload, offset)};
    groups.add(batch, "1");
    groups.hand_out();
    outbox.push(blind.chunks.back());
  };
  for (Offset n = 1; n <= 3; ++n)
    push("text.1", R"({"type":"t","secret":"hunter2","content":")" + std::to_string(n) + R"(."})", n);
  for (Offset n = 4; n <= 6; ++n) push("hidden-text.1", R"({"type":"t","content":"hunter2","n":1})", n);
  std::array<Outbox::Slice, 16> slices;
  std::string waiting;
  for (std::size_t i = 0, count = outbox.front(slices.data(), slices.size()); i < count; ++i)
    waiting += slices[i];
  CHECK(contains(waiting, R"({"type":"t","content":"1.2.3."})"));
  CHECK(contains(waiting, R"({"type":"t","n":1})"));
  CHECK_FALSE(contains(waiting, "hunter2"));
}
