#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/config/ip_address.h"

namespace trestle {

/// The PROXY header with which a proxy starts a connection (HAProxy's "The PROXY protocol", versions 1 and
/// 2): whom the connection is from. It comes before everything else, TLS too, so it is read without taking
/// one byte of what follows.
///
/// Bound: 107 bytes of version 1, 4 KiB of version 2.  Thread: its connection's.
class ProxyHeader {
 public:
  enum class State {
    more,  ///< not whole yet
    done,
    bad,  ///< no PROXY header, or one that is too long
  };

  /// How many bytes may be read next; all of them belong to the header.
  std::size_t wants() const;
  /// `bytes` are at most wants().
  State feed(std::string_view bytes);
  /// Once done: the client. Nothing for a connection of the proxy's own (LOCAL, its health check), or one of
  /// unknown origin.
  const std::optional<IpAddress>& source() const { return source_; }

 private:
  State read_text();
  State read_binary();

  std::string bytes_;
  std::optional<IpAddress> source_;
};

}  // namespace trestle
