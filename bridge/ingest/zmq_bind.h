#pragma once
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

}  // namespace trestle
