#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/result.h"

namespace trestle {

/// An IP address. One of IPv4 and the same one mapped into IPv6 (`::ffff:192.0.2.1`) are equal.
class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  /// Of IPv6; an IPv4 address is mapped.
  explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  /// An address alone: without brackets, port or zone. Nothing if it is none.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress v4(const std::uint8_t* four_bytes);

  const Bytes& bytes() const { return bytes_; }
  bool is_v4() const;
  bool is_loopback() const;
  /// Whom limits count: the address itself for IPv4; for IPv6 its /64, since anybody who has one address
  /// there has them all.
  IpAddress block() const;
  std::string text() const;

  bool operator==(const IpAddress& other) const { return bytes_ == other.bytes_; }

  struct Hash {
    std::size_t operator()(const IpAddress& address) const;
  };

 private:
  Bytes bytes_;
};

/// An address range as people write it: 10.0.0.0/8, 2001:db8::/32, or one address.
class Network {
 public:
  /// The error says what would be right.
  static Result<Network> parse(const std::string& text);
  bool contains(const IpAddress& address) const;

 private:
  Network(const IpAddress& first, unsigned bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // of IPv6: 96 more than of an IPv4 range
};

}  // namespace trestle
