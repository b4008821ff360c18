#include "bridge/front/forwarded.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr int kMostHops = 32;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\"";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80
std::optional<IpAddress> address_in(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto after = text.substr(end + 1);
    if (!after.empty() && (after.front() != ':' || !is_port(after.substr(1)))) return std::nullopt;
    const auto inside = text.substr(1, end - 1);
    return inside.find(':') == std::string_view::npos ? std::nullopt : IpAddress::parse(inside);
  }
  const auto colon = text.find(':');
  const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
  if (has_port && !is_port(text.substr(colon + 1))) return std::nullopt;
  return IpAddress::parse(has_port ? text.substr(0, colon) : text);
}

}  // namespace

bool is_in(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

std::optional<IpAddress> forwarded_for(std::string_view header, const std::vector<Network>& trusted) {
  for (int hop = 0; hop < kMostHops; ++hop) {
    const auto comma = header.rfind(',');
    const auto last = trimmed(comma == std::string_view::npos ? header : header.substr(comma + 1));
    const auto address = address_in(last);
    if (!address) return std::nullopt;
    if (!is_in(trusted, *address)) return address;
    if (comma == std::string_view::npos) return std::nullopt;
    header = header.substr(0, comma);
  }
  return std::nullopt;
}

}  // namespace trestle
