#include "bridge/config/origin.h"

#include <algorithm>
#include <cctype>

#include "bridge/config/ip_address.h"
#include "bridge/config/text.h"
#include "bridge/config/values.h"

namespace trestle {
namespace {

constexpr std::string_view kHttp = "http";
constexpr std::string_view kHttps = "https";
constexpr std::string_view kBelow = "*.";
constexpr std::size_t kLongest = 255;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view usual_port(std::string_view scheme) { return scheme == kHttps ? "443" : "80"; }

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_host_text(const std::string& host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    const auto inside = host.substr(1, host.size() - 2);
    return inside.find(':') != std::string::npos && IpAddress::parse(inside);
  }
  return !host.empty() && host.front() != '.' && std::all_of(host.begin(), host.end(), is_name_byte);
}

struct HostPort {
  std::string host;
  std::string port;  // empty: none given
};

/// Nothing more than a host and perhaps a port, as in a Host header.
std::optional<HostPort> split(std::string_view text) {
  const auto text_lower = lower(text);
  const auto bracket = text_lower.rfind(']');
  auto colon = text_lower.rfind(':');
  if (bracket != std::string::npos && colon != std::string::npos && colon < bracket)
    colon = std::string::npos;
  HostPort out{text_lower.substr(0, colon), ""};
  if (colon != std::string::npos) {
    out.port = text_lower.substr(colon + 1);
    if (!parse_count(out.port, {1, 65535})) return std::nullopt;
  }
  if (!is_host_text(out.host)) return std::nullopt;
  return out;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

Result<Origin> Origin::parse(std::string_view text, bool wildcard) {
  const Error error{
      in_quotes(text) +
      " is not an origin: write one such as \"https://example.com\", \"http://localhost:8080\" or "
      "\"https://*.example.com\", without a path"};
  const auto end = text.find("://");
  if (end == std::string_view::npos || text.size() > kLongest) return error;
  Origin origin;
  origin.scheme_ = lower(text.substr(0, end));
  if (origin.scheme_ != kHttp && origin.scheme_ != kHttps) return error;
  auto rest = text.substr(end + 3);
  origin.subdomains_ = wildcard && rest.substr(0, kBelow.size()) == kBelow;
  if (origin.subdomains_) rest.remove_prefix(kBelow.size());
  auto place = split(rest);
  if (!place) return error;
  origin.host_ = std::move(place->host);
  origin.port_ = place->port.empty() ? std::string(usual_port(origin.scheme_)) : std::move(place->port);
  return origin;
}

Result<Origin> Origin::parse(std::string_view text) { return parse(text, false); }
Result<Origin> Origin::parse_allowed(std::string_view text) { return parse(text, true); }

bool Origin::allows(const Origin& page) const {
  if (scheme_ != page.scheme_ || port_ != page.port_) return false;
  return subdomains_ ? ends_with(page.host_, "." + host_) : host_ == page.host_;
}

bool Origin::is_host(std::string_view host_header, bool over_tls) const {
  if (over_tls && scheme_ != kHttps) return false;
  const auto place = split(host_header);
  return place && place->host == host_ && (place->port.empty() ? usual_port(scheme_) : place->port) == port_;
}

bool Origin::is_beyond_dns() const {
  if (host_ == "localhost" || ends_with(host_, ".localhost")) return true;
  const bool bracketed = host_.front() == '[';
  return bracketed || IpAddress::parse(host_);
}

}  // namespace trestle
