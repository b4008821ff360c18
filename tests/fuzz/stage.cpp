#include "tests/fuzz/stage.h"

#include <sys/eventfd.h>

#include <array>

#include "bridge/core/clock.h"
#include "bridge/front/visitor.h"
#include "bridge/log/log.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/wire_check.h"

namespace trestle {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kQueue = 16 * 1024;
constexpr std::size_t kReplayPiece = 64 * 1024;  // pulled into an empty outbox, whatever session.queue is
constexpr std::size_t kMostFrame = 8 * 1024;

Policy policy(const char* match, Keep keep) {
  Policy made;
  made.match = *Pattern::parse(match);
  made.keep = keep;
  return made;
}

// One of each kind that pressure treats in its own way.
std::vector<Policy> policies() {
  auto flood = policy("flood", Keep::none);
  flood.under_pressure = UnderPressure::drop;
  auto text = policy("text", Keep::log);
  text.under_pressure = UnderPressure::merge;
  text.merge = "/s";
  return {flood, text, policy("live", Keep::none), policy("state.*", Keep::latest),
          policy("note", Keep::log)};
}

struct Kind {
  const char* topic;
  const char* payload;
  std::size_t pad;  // bytes
};
constexpr std::array<Kind, 7> kKinds{{{"flood", R"({"type":"flood","s":")", 900},
                                      {"text", R"({"type":"text","s":")", 300},
                                      {"live", R"({"type":"live","s":")", 100},
                                      {"state.a", R"({"type":"state","k":"a","s":")", 500},
                                      {"state.b", R"({"type":"state","k":"b","s":")", 50},
                                      {"note", R"({"type":"note","s":")", 7000},
                                      {"$sys.rejected", R"({"type":"$sys.rejected","s":")", 10}}};

const Authority& authority() {
  static const auto made = [] {
    LogSettings quiet;
    quiet.level = LogSettings::Level::error;
    log::start(quiet);
    AuthSettings settings;
    settings.token = Stage::kToken;
    settings.tokens_file.clear();
    return Authority::make(settings);
  }();
  MUST(made);
  return **made;
}

const PolicyTable& policy_table() {
  static const PolicyTable table(policies());
  return table;
}

Settings small_settings(Choices& choices) {
  Settings settings;
  settings.auth.token = Stage::kToken;
  settings.session.queue = kQueue;
  settings.ingest.max_event = kMostFrame - 64;
  settings.limits.message = 4096;
  settings.limits.body = 4096;
  settings.limits.connections = 1;
  settings.compression.min_size = 64;
  const auto choice = choices.up_to(7);
  settings.compression.enabled = choice != 7;
  settings.limits.requests_per_second = choice < 4 ? 0 : 2;
  return settings;
}

// The client comes straight, or through a proxy that says so in a PROXY header or in X-Forwarded-For.
enum class Way { straight, proxy_header, forwarded };

std::shared_ptr<const ListenerInfo> listener(Way way) {
  ListenerInfo info;
  info.endpoints = {{"/", Form::envelope, true}, {"/open", Form::bare, false}};
  info.origins = {*Origin::parse_allowed("https://*.example.com")};
  if (way != Way::straight) info.trusted_proxies = {*Network::parse("192.0.2.0/24")};
  info.proxy_protocol = way == Way::proxy_header;
  return std::make_shared<const ListenerInfo>(std::move(info));
}

const IpAddress& peer() {
  static const auto address = *IpAddress::parse("192.0.2.1");
  return address;
}

// The event loop asks the descriptor whether it may read and write: always. What really happens says
// MemoryStream.
asio::ip::tcp::socket ready_socket(asio::io_context& io) {
  asio::ip::tcp::socket socket(io);
  const int fd = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  MUST(fd >= 0);
  socket.assign(asio::ip::tcp::v4(), fd);
  return socket;
}

}  // namespace

Stage::Stage(Choices& choices) : choices_(choices), wire_(choices), settings_(small_settings(choices)) {
  context_ = std::unique_ptr<FrontContext>(new FrontContext{
      settings_, authority(), policy_table(),
      Admission(settings_.limits.connections, settings_.limits.per_address), Backoff(3),
      [this](IdentityPtr, std::function<void(std::string)> answer) { status_answer_ = std::move(answer); }});
  shard_ = std::make_unique<Shard>(0, *context_);
  Batch kept;
  kept.epoch = epoch_;
  shard_->load(kept, {});
  publish(3, 1);
  publish(5, 1);
  const auto info = listener(static_cast<Way>(choices.up_to(2)));
  auto visitor = std::make_unique<Visitor>(*context_, info, peer());
  MUST(visitor->arrive() == Admission::Answer::welcome);
  shard_->adopt(ready_socket(shard_->io()), std::make_unique<MemoryStream>(wire_), info, std::move(visitor));
  settle();
}

Stage::~Stage() = default;

void Stage::client_sends(std::string_view bytes) { wire_.in += bytes; }

void Stage::meanwhile(std::size_t what) {
  switch (what) {
    case 0: return;
    case 7: return publish(choices_.up_to(kKinds.size() - 1), 20);
    case 8: return lose();
    case 9: return change_epoch();
    case 10: return pass_time(milliseconds(1'000));
    case 11: return pass_time(milliseconds(31'000));
    case 12: wire_.blocked = !wire_.blocked; return;
    case 13: return answer_status();
    case 14: return shard_->drain(milliseconds(0), milliseconds(0));
    case 15: return client_ends();
    default: return publish(what, 1);
  }
}

void Stage::publish(std::size_t kind, std::size_t count) {
  auto batch = std::make_shared<Batch>();
  const auto& [topic, payload, pad] = kKinds[kind];
  for (std::size_t i = 0; i < count; ++i) {
    auto event = std::make_shared<Event>();
    event->offset = ++head_;
    event->time = event->appended = read_clock().wall;
    event->topic = topic;
    event->payload = payload + std::string(pad, 'x') + "\"}";
    event->policy = &policy_table().find(event->topic);
    batch->events.push_back(std::move(event));
  }
  batch->head = head_;
  batch->epoch = epoch_;
  shard_->push(batch);
  shard_->notify();
}

void Stage::lose() {
  auto batch = std::make_shared<Batch>();
  LostRange lost;
  lost.producer = "worker-1";
  lost.from = 3;
  lost.to = 9;
  lost.after = head_;
  lost.appended = read_clock().wall;
  batch->lost.push_back(std::move(lost));
  batch->head = head_;
  batch->epoch = epoch_;
  shard_->push(batch);
  shard_->notify();
}

void Stage::change_epoch() {
  epoch_ = std::make_shared<const std::string>(std::to_string(std::stoul(*epoch_) + 1));
  publish(2, 1);
}

void Stage::pass_time(milliseconds time) {
  passed_ += time;
  auto now = read_clock();
  now.steady += passed_;
  now.wall += std::chrono::microseconds(passed_).count();
  shard_->tick(now);
}

void Stage::answer_status() {
  if (status_answer_) std::exchange(status_answer_, {})(R"({"success":true,"data":{}})");
}

// Ready descriptors never end a loop, so this stops once several handlers in a row had nothing to read or
// write.
void Stage::settle() {
  constexpr int kIdle = 6;
  shard_->live_first();
  auto seen = wire_.progress;
  for (int idle = 0; idle < kIdle && shard_->io().poll_one() > 0; ++idle) {
    if (std::exchange(seen, wire_.progress) != wire_.progress) idle = -1;
  }
  check_bounds();
}

void Stage::check_bounds() {
  for (const auto& session : shard_->status().sessions) {
    MUST(session.queued <= std::max(kQueue, kReplayPiece) + kMostFrame);
  }
}

void Stage::end() {
  if (over()) check_wire(wire_.out, wire_.finished);
  wire_.broken = true;
  answer_status();
  settle();
  MUST(over());
  MUST(shard_->groups().size() == 0);
  MUST(context_->admission.arrive(peer(), false) == Admission::Answer::welcome);
  MUST(context_->admission.open(peer()));  // the only place is free again
  check_wire(wire_.out, wire_.finished);
}

}  // namespace trestle
