#pragma once
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
/// True if a (valid) ZeroMQ address stays on this machine.
bool is_local_zmq_address(const std::string& address);

}  // namespace trestle
