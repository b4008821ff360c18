#pragma once
#include <string>
#include <string_view>

/// The four packets of MQTT 3.1.1 that a load needs.
namespace trestle::bench::mqtt {

/// CONNECT with a clean session and no keep-alive.
std::string connect(const std::string& client_id);
/// SUBSCRIBE with QoS 0.
std::string subscribe(const std::string& topic);
/// PUBLISH with QoS 0.
std::string publish(const std::string& topic, const std::string& payload);

/// How CONNACK and SUBACK begin.
inline constexpr std::string_view kConnected{"\x20\x02\x00\x00", 4};
inline constexpr std::string_view kSubscribed{"\x90\x03\x00\x01\x00", 5};

}  // namespace trestle::bench::mqtt
