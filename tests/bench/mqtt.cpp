#include "tests/bench/mqtt.h"

namespace trestle::bench::mqtt {
namespace {

std::string two_bytes(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string text(const std::string& value) { return two_bytes(value.size()) + value; }

std::string packet(unsigned char first, const std::string& rest) {
  std::string out(1, static_cast<char>(first));
  auto size = rest.size();
  do {
    const auto more = size > 0x7f ? 0x80 : 0;
    out += static_cast<char>((size & 0x7f) | static_cast<unsigned>(more));
    size >>= 7;
  } while (size > 0);
  return out + rest;
}

}  // namespace

std::string connect(const std::string& client_id) {
  constexpr char kLevel = 4;
  constexpr char kCleanSession = 2;
  return packet(0x10, text("MQTT") + kLevel + kCleanSession + two_bytes(0) + text(client_id));
}

std::string subscribe(const std::string& topic) { return packet(0x82, two_bytes(1) + text(topic) + '\0'); }

std::string publish(const std::string& topic, const std::string& payload) {
  return packet(0x30, text(topic) + payload);
}

}  // namespace trestle::bench::mqtt
