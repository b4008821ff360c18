#include "tests/bench/peers.h"

#include "tests/bench/mqtt.h"

namespace trestle::bench {
namespace {

Greeting silent(std::size_t, std::size_t) { return {}; }

Greeting nats_greeting(std::size_t, std::size_t topic) {
  return {{"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB " + topic_name(topic) + " 1\r\nPING\r\n",
           "PONG"}};
}

Greeting mqtt_greeting(std::size_t client, std::size_t topic) {
  return {{mqtt::connect("bench-" + std::to_string(client)), std::string(mqtt::kConnected)},
          {mqtt::subscribe(topic_name(topic)), std::string(mqtt::kSubscribed)}};
}

void aim_trestle(Target& target, std::size_t topic, bool only) {
  if (only)
    target.path += (target.path.find('?') == std::string::npos ? "?" : "&") + ("topics=" + topic_name(topic));
}

void aim_by_path(Target& target, std::size_t topic, bool) { target.path += topic_name(topic); }

void aim_mqtt(Target& target, std::size_t, bool) { target.headers = "Sec-WebSocket-Protocol: mqtt\r\n"; }

void aim_as_it_is(Target&, std::size_t, bool) {}

}  // namespace

const std::map<std::string, Peer>& peers() {
  static const std::map<std::string, Peer> all{
      {"trestle", {aim_trestle, silent, trestle_publisher}},
      {"floor", {aim_as_it_is, silent, floor_publisher}},
      {"nats", {aim_as_it_is, nats_greeting, nats_publisher}},
      {"nchan", {aim_by_path, silent, nchan_publisher}},
      {"mosquitto", {aim_mqtt, mqtt_greeting, mosquitto_publisher}},
      {"pushpin", {aim_by_path, silent, pushpin_publisher}},
  };
  return all;
}

}  // namespace trestle::bench
