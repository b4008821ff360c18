#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/result.h"
#include "proto/types.h"

namespace trestle {

/// The control socket's messages (wire A): one JSON frame each, {"type": <name>, "v": 1, "producer": id,
/// "epoch": E, …}. Only a replayed event is multipart: the frame `event`, then the four frames of a sequenced
/// message.
inline constexpr std::string_view kControlEvent = "event";

/// From a producer.
struct FromProducer {
  enum class Kind { hello, beat, gone, result, bye };
  Kind kind = Kind::beat;
  std::string producer;
  std::uint64_t epoch = 0;
  Seq first = 0;  ///< hello, beat: oldest seq still held (last + 1 when none is)
  Seq last = 0;   ///< hello, beat, bye: newest seq made; 0 before the first
  Seq acked = 0;  ///< hello: newest seq this bridge acked; 0 if none
  Seq from = 0;   ///< gone: inclusive range no longer held
  Seq to = 0;
  std::string id;  ///< result: the command's id
  bool success = false;
  std::string data;  ///< result: raw JSON, "null" when absent
};

/// From the bridge.
struct FromBridge {
  enum class Kind { welcome, ack, replay, refused, command };
  Kind kind = Kind::welcome;
  std::string producer;
  std::uint64_t epoch = 0;
  Seq seq = 0;  ///< welcome, ack: the bridge has, or has given up, everything up to it
  std::vector<std::pair<Seq, Seq>> lost;  ///< ack: inclusive ranges given up since the last ack
  Seq from = 0;                           ///< replay: inclusive range missed
  Seq to = 0;
  std::string reason;  ///< refused, for example "in_use"
  std::string id;      ///< command
  std::string topic;   ///< command
  std::string data;    ///< command: raw JSON
};

std::string encode(const FromProducer& message);
std::string encode(const FromBridge& message);

/// Errors name the member at fault. Unknown members are ignored (a newer peer may add some); "v" must be 1;
/// integers must lie in [0, 2^53); hello and beat need first and last with first <= last + 1; gone needs from
/// <= to.
Result<FromProducer> decode_from_producer(std::string_view json);
Result<FromBridge> decode_from_bridge(std::string_view json);

}  // namespace trestle
