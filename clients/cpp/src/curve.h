#pragma once
#include <string>
#include <zmq.hpp>

#include "proto/curve_key.h"

namespace trestle::client {

/// Reads a key pair that `trestle keygen` made. Throws std::invalid_argument with the remedy: unreadable,
/// others can read it, no secret key in it.
CurveKeys load_keys(const std::string& path);

/// Before connect(): this side proves who it is with `keys`, and talks only to whoever has the secret of
/// `server_key`. Nothing without a server key.
void use_curve(zmq::socket_t& socket, const CurveKeys& keys, const std::string& server_key);

}  // namespace trestle::client
