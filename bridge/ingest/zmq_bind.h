#pragma once
#include <optional>
#include <string>
#include <zmq.hpp>

#include "bridge/ingest/ipc_lock.h"

namespace trestle {

/// Tells a ZeroMQ socket whether an address is IPv6; before every bind and connect.
void choose_ip_version(zmq::socket_t& socket, const std::string& address);

/// Binds `socket` to a valid address (config/address.h). A path of the file system is open to its owner and
/// group only (0660), and not taken from anybody who has it. Errors say why and what to do, without the
/// address.
///
/// Ownership: keep the lock until the socket's context is gone.
Result<IpcLock> bind_zmq(zmq::socket_t& socket, const std::string& address);
/// Why that would fail whoever else uses the address, found without making anything; nothing if it would not,
/// or only this machine's network can tell.
std::optional<std::string> find_bind_fault(const std::string& address);

/// The whole line for an address that can't be bound; `key` is the configuration's.
Error cannot_bind(const std::string& key, const std::string& address, const std::string& why);

}  // namespace trestle
