#pragma once
#include <optional>
#include <string>

#include "proto/result.h"

namespace trestle {

/// The address a listener binds: `localhost` or an IP address. A host's name is refused: what it stands for
/// can change, and with it who may connect. Gives the address back.
Result<std::string> parse_listen_address(const std::string& text);
/// True if only this machine can reach a listener at that (valid) address.
bool is_loopback(const std::string& address);

/// Which side of a ZeroMQ socket an address is for: only one that binds may leave the port open (`*`).
enum class ZmqSide { bind, connect };
/// A ZeroMQ address: tcp://HOST:PORT, or ipc:// with an absolute path of at most 107 bytes or an @name.
/// Gives the address back.
Result<std::string> parse_zmq_address(const std::string& text, ZmqSide side);
/// Host, without brackets, and port of a (valid) tcp:// address; nothing for ipc://.
struct HostPort {
  std::string host;
  std::string port;
};
std::optional<HostPort> split_zmq_tcp(const std::string& address);
/// Why a (valid) ZeroMQ address is not safe without CURVE, as the rest of a line that starts with it:
/// machines or users that nobody chose could publish there. Nothing if only this machine reaches it, and file
/// modes say which of its users.
std::optional<std::string> danger_of_zmq_address(const std::string& address);

}  // namespace trestle
