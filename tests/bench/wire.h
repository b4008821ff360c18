#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trestle::bench {

/// Where trestled serves clients.
struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3001;
  std::string path = "/";  ///< with its query
};

// The few calls on sockets and frames that every measuring client needs. All block; all throw
// std::runtime_error when the server does not do what it should.

/// A connected TCP socket, the caller's to close. -1 if nobody listens there.
int try_connect(const Target& target);
/// The same, but nobody listening is an error.
int connect_to(const Target& target);
/// Asks for a WebSocket; the answer is the caller's to read.
void request_upgrade(int fd, const Target& target);
/// The opening handshake; reads not a byte beyond it.
void upgrade(int fd, const Target& target);
/// The status code of a GET; 0 if nobody listens there. Waits for the answer, however long the server takes.
int http_status(const Target& target);

/// The size of a server frame's header, once enough of it is there to tell; 0 before.
std::size_t header_size(std::string_view header);
/// The size of the payload that a whole header announces.
std::uint64_t payload_size(std::string_view header);
/// True for a text frame.
bool is_text(std::string_view header);

}  // namespace trestle::bench
