#include "bridge/config/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "bridge/config/text.h"
#include "bridge/config/values.h"

namespace trestle {
namespace {

constexpr unsigned kAllBits = 128;
constexpr unsigned kMappedBits = 96;  // of an IPv4 address that is mapped into IPv6
constexpr std::size_t kBlockBytes = 8;
constexpr std::size_t kLongestText = INET6_ADDRSTRLEN - 1;
constexpr IpAddress::Bytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

/// The address without what lies below its first `bits`.
IpAddress cut(const IpAddress& address, unsigned bits) {
  auto bytes = address.bytes();
  for (unsigned bit = bits; bit < kAllBits; ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  return IpAddress(bytes);
}

}  // namespace

IpAddress IpAddress::v4(const std::uint8_t* four_bytes) {
  auto bytes = kMapped;
  std::copy_n(four_bytes, 4, bytes.begin() + kMappedBits / 8);
  return IpAddress(bytes);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > kLongestText || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four.data());
  Bytes bytes{};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return IpAddress(bytes);
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.begin() + 12, bytes_.begin()); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  Bytes one{};
  one.back() = 1;
  return bytes_ == one;
}

IpAddress IpAddress::block() const {
  if (is_v4()) return *this;
  auto bytes = bytes_;
  std::fill(bytes.begin() + kBlockBytes, bytes.end(), std::uint8_t{0});
  return IpAddress(bytes);
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const int family = is_v4() ? AF_INET : AF_INET6;
  inet_ntop(family, bytes_.data() + (is_v4() ? kMappedBits / 8 : 0), out.data(), out.size());
  return out.data();
}

std::size_t IpAddress::Hash::operator()(const IpAddress& address) const {
  const auto& bytes = address.bytes();
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<Network> Network::parse(const std::string& text) {
  const Error error{in_quotes(text) +
                    " is not a range of addresses: write one such as \"10.0.0.0/8\", \"2001:db8::/32\" or "
                    "\"192.0.2.7\""};
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(std::string_view(text).substr(0, slash));
  if (!address) return error;
  if (slash == std::string::npos) return Network(*address, kAllBits);
  const bool short_form = text.find(':') == std::string::npos;
  const unsigned before = short_form ? kMappedBits : 0;
  const auto bits = parse_count(std::string_view(text).substr(slash + 1), {0, kAllBits - before});
  if (!bits) return error;
  if (*bits == 0) return Error{in_quotes(text) + " is everybody: name the proxies themselves"};
  const auto all = before + static_cast<unsigned>(*bits);
  const auto first = cut(*address, all);
  if (!(first == *address)) {
    return Error{in_quotes(text) + " has bits beyond its length: \"" + first.text() + text.substr(slash) +
                 "\" is the range that holds it"};
  }
  return Network(first, all);
}

bool Network::contains(const IpAddress& address) const { return cut(address, bits_) == first_; }

}  // namespace trestle
