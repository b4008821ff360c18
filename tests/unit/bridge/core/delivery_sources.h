#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/core/spine.h"
#include "delivery_model.h"
#include "fixtures.h"

/// The producers of the delivery property test, the lossy way to the bridge, and what their events must look
/// like in the stream.
namespace trestle::delivery {

class Chance {
 public:
  explicit Chance(std::uint64_t from) : engine_(from) {}
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_);
  }
  bool in(std::size_t times) { return below(times) == 0; }
  bool percent(std::size_t chance) { return below(100) < chance; }

 private:
  std::mt19937_64 engine_;
};

/// How far each producer is in a stream. A value: a copy is what an older journal knows.
struct Order {
  struct Place {
    std::uint64_t life = 0;
    Seq next = 0;
  };
  std::map<std::string, Place> places;
  std::set<std::string> plain;  // payloads of plain events
};

class Sources {
 public:
  static constexpr std::size_t kCount = 3;

  explicit Sources(Chance& chance) : chance_(chance), sources_(kCount) {
    for (std::size_t i = 0; i < kCount; ++i) {
      sources_[i].id = "p" + std::to_string(i);
      begin_life(sources_[i]);
    }
  }

  // --- what producers do
  void publish(std::size_t which, Now now) {
    auto& source = sources_[which];
    if (is_quiet(source, now)) return;
    const auto seq = ++source.last;
    source.buffer[seq] = {make_payload(source.id, seq), now.wall};
    if (source.buffer.size() > kBuffer) source.drop_up_to(source.first);
    if (chance_.percent(10)) return;
    source.on_the_way.push_back({source.epoch, seq, source.buffer[seq]});
    if (chance_.percent(5)) source.on_the_way.push_back(source.on_the_way.back());
  }
  void publish_plain(Spine& spine, Now now, bool overloaded) {
    const auto payload = make_payload("", ++plain_);
    if (chance_.percent(50)) return spine.message({payload}, now, overloaded);
    spine.message({made_.at(payload).topic, payload}, now, overloaded);
  }
  /// Something that is on its way comes in, mostly in order.
  void deliver(std::size_t which, Spine& spine, Now now, bool overloaded) {
    auto& source = sources_[which];
    if (source.on_the_way.empty()) return;
    const auto place = chance_.percent(10) ? chance_.below(source.on_the_way.size()) : 0;
    const auto sent = source.on_the_way[place];
    source.on_the_way.erase(source.on_the_way.begin() + static_cast<std::ptrdiff_t>(place));
    if (sent.epoch == source.epoch && !overloaded) source.heard = now.steady;
    const auto stamp = encode(Stamp{sent.epoch, sent.seq, sent.made.time});
    spine.message({"", source.id, {stamp.data(), stamp.size()}, sent.made.payload}, now, overloaded);
  }
  void beat(std::size_t which, Spine& spine, Now now) {
    auto& source = sources_[which];
    if (is_quiet(source, now)) return;
    control(source, source.welcome ? FromProducer::Kind::beat : FromProducer::Kind::hello, spine, now);
  }
  void restart(std::size_t which) { begin_life(sources_[which]); }
  void be_quiet(std::size_t which, Now until) { sources_[which].quiet_until = until.steady; }
  void forget_oldest(std::size_t which) {
    auto& source = sources_[which];
    if (source.first <= source.last) source.drop_up_to(source.first);
  }
  /// What the bridge says reaches the producers, or some of it does not.
  void answer(const std::vector<ToProducer>& messages, Spine& spine, Now now, bool lossy) {
    for (const auto& [peer, message] : messages) {
      auto& source = of(message.producer);
      if (message.epoch != source.epoch || is_quiet(source, now) || (lossy && chance_.percent(10))) continue;
      if (message.kind == FromBridge::Kind::replay) {
        replay(source, message, spine, now, lossy);
      } else if (message.kind == FromBridge::Kind::ack || message.kind == FromBridge::Kind::welcome) {
        source.welcome = true;
        source.acked[source.life] = std::max(source.acked[source.life], message.seq);
        source.drop_up_to(std::min(message.seq, source.last));
      }
    }
  }
  /// Nobody keeps quiet, and everything arrives. Who missed an answer on a connection that still stands
  /// (which TCP does not do) says hello, as after a new connection.
  void speak_up(Spine& spine, Now now) {
    for (std::size_t i = 0; i < kCount; ++i) {
      sources_[i].quiet_until = {};
      if (sources_[i].acked[sources_[i].life] < sources_[i].last) sources_[i].welcome = false;
      while (!sources_[i].on_the_way.empty()) deliver(i, spine, now, false);
      beat(i, spine, now);
    }
  }
  /// The bridge is another: it has heard nobody yet.
  void bridge_restarted(Now now) {
    ++bridges_;
    for (auto& source : sources_) source.heard = now.steady;
  }

  // --- what must be true of the stream
  /// Empty, or what is wrong with an event at this place of the stream.
  std::string check(Order& order, const Event& event) {
    const auto found = made_.find(event.payload);
    if (found == made_.end()) return "nobody made " + event.payload;
    const auto& made = found->second;
    if (event.topic != made.topic) return event.payload + " came as " + event.topic;
    if (made.id.empty()) return order.plain.insert(event.payload).second ? "" : event.payload + " came twice";
    const auto& place = place_of(order, made.id, made.seq);
    if (place.next != made.seq) return made.id + " " + std::to_string(made.seq) + due(place);
    ++order.places[made.id].next;
    return "";
  }
  std::string check(Order& order, const LostRange& lost, Now now) {
    const auto& place = place_of(order, lost.producer, lost.from);
    const auto name = lost.producer + " lost " + range_text(lost.from, lost.to);
    if (place.next != lost.from || lost.to < lost.from) return name + due(place);
    order.places[lost.producer].next = lost.to + 1;
    const auto& source = of(lost.producer);
    const bool held = source.life == place.life && lost.to >= source.first;
    if (held && now.steady - source.heard < std::chrono::seconds(60)) return name + ", which it still holds";
    return "";
  }
  /// Empty, or what is wrong with what the bridge says to a producer.
  std::string check(const Order& order, const FromBridge& message) {
    if (message.kind != FromBridge::Kind::ack) return "";
    const auto place = order.places.find(message.producer);
    const bool known = place != order.places.end() && place->second.life == message.seq / kLifeSpan;
    const auto have = known ? place->second.next - 1 : of(message.producer).acked[message.seq / kLifeSpan];
    return message.seq <= have ? "" : message.producer + " was acked before it was in the stream";
  }
  std::string check_settled(const Order& order) const {
    for (const auto& source : sources_) {
      const auto place = order.places.find(source.id);
      if (source.last % kLifeSpan == 0) continue;  // it has said nothing in this life
      // A bridge that was started after the last event has not heard of any.
      const bool known = place != order.places.end() && place->second.life == source.life;
      if (known && place->second.next != source.last + 1) {
        return source.id + " ended at " + std::to_string(source.last) + due(place->second);
      }
      if (source.acked.at(source.life) != source.last) return source.id + " is not acked";
    }
    return "";
  }

 private:
  static constexpr std::size_t kBuffer = 40;        // events that a producer holds for replays
  static constexpr Seq kLifeSpan = 10'000'000'000;  // each life has a range of its own, to tell them apart

  struct Made {
    std::string payload;
    Micros time = 0;
  };
  struct Sent {
    std::uint64_t epoch;
    Seq seq;
    Made made;
  };
  struct Source {
    std::string id;
    std::uint64_t life = 0;
    std::uint64_t epoch = 0;
    Seq first = 1;  // oldest seq still held
    Seq last = 0;
    std::map<std::uint64_t, Seq> acked;   // by life
    std::map<std::uint64_t, Seq> firsts;  // by life
    bool welcome = false;
    std::chrono::steady_clock::time_point quiet_until{};
    std::chrono::steady_clock::time_point heard{};  // the life of now, by the bridge
    std::map<Seq, Made> buffer;
    std::deque<Sent> on_the_way;

    void drop_up_to(Seq seq) {
      firsts[life] = first = std::max(first, seq + 1);
      buffer.erase(buffer.begin(), buffer.lower_bound(first));
    }
  };
  struct Origin {
    std::string id;
    Seq seq;
    std::string topic;
  };

  // The clock may have stepped back; the numbering is its own.
  void begin_life(Source& source) {
    source.life = ++lives_;
    source.epoch = 1 + (lives_ * 7'919) % 1'000'003;
    source.last = source.life * kLifeSpan;
    source.first = source.last + 1;
    source.acked[source.life] = source.last;
    source.buffer.clear();
    source.welcome = false;
    source.quiet_until = {};
  }
  static bool is_quiet(const Source& source, Now now) { return now.steady < source.quiet_until; }
  Source& of(const std::string& id) { return sources_[static_cast<std::size_t>(id[1] - '0')]; }

  std::string make_payload(const std::string& id, Seq seq) {
    const auto& rule = rules()[chance_.below(rules().size())];
    const auto key = static_cast<int>(chance_.below(kKeys + 1));
    auto payload = R"({"type":")" + rule.type + R"(","from":")" + id + R"(","n":)" + std::to_string(seq);
    if (key != 0) payload += R"(,"id":)" + std::to_string(key);
    payload += R"(,"pad":")" + std::string(chance_.in(20) ? 300 : chance_.below(60), 'x') + "\"}";
    made_[payload] = {id, seq, topic_of(rule, key)};
    return payload;
  }
  void control(Source& source, FromProducer::Kind kind, Spine& spine, Now now, Seq from = 0, Seq to = 0) {
    FromProducer message;
    message.kind = kind;
    message.producer = source.id;
    message.epoch = source.epoch;
    message.first = source.first;
    message.last = source.last;
    message.acked = source.acked[source.life];
    message.from = from;
    message.to = to;
    source.heard = now.steady;
    spine.control(peer(source), {encode(message)}, now, false);
  }
  std::string peer(const Source& source) const {
    return source.id + "/" + std::to_string(source.life) + "/" + std::to_string(bridges_);
  }
  void replay(Source& source, const FromBridge& message, Spine& spine, Now now, bool lossy) {
    if (message.from < source.first) {
      const auto to = std::min(message.to, source.first - 1);
      control(source, FromProducer::Kind::gone, spine, now, message.from, to);
    }
    for (auto seq = std::max(message.from, source.first); seq <= std::min(message.to, source.last); ++seq) {
      if (lossy && chance_.percent(10)) return;
      const auto& made = source.buffer.at(seq);
      const auto stamp = encode(Stamp{source.epoch, seq, made.time});
      source.heard = now.steady;
      spine.control(peer(source), {kControlEvent, "", source.id, {stamp.data(), stamp.size()}, made.payload},
                    now, false);
    }
  }
  // Where this producer is; a life that the bridge did not know begins no later than what was acked.
  const Order::Place& place_of(Order& order, const std::string& id, Seq seq) {
    auto& place = order.places[id];
    const auto life = seq / kLifeSpan;
    if (life <= place.life) return place;
    auto latest_start = of(id).acked[life] + 1;
    // A beat counts as a hello that says that all before its `first` was acked.
    if (bridges_ > 1) latest_start = std::max(latest_start, of(id).firsts[life]);
    place = {life, std::min(seq, latest_start)};
    return place;
  }
  static std::string due(const Order::Place& place) {
    return " when " + std::to_string(place.next) + " was due";
  }

  Chance& chance_;
  std::vector<Source> sources_;
  std::unordered_map<std::string, Origin> made_;  // by payload
  std::uint64_t lives_ = 0;
  std::uint64_t bridges_ = 1;
  Seq plain_ = 0;
};

}  // namespace trestle::delivery
