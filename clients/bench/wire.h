#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trestle::bench {

/// Where a server takes WebSocket clients, and how it is asked.
struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3001;
  std::string path = "/";  ///< with its query
  std::string headers;     ///< more lines of the request, each with its CR LF
  bool secure = false;     ///< TLS; the certificate is checked
  std::string ca_file;     ///< PEM; empty: the system's
};

/// The server said no: its answer to the opening handshake is not 101, or it sent a close frame.
struct Refusal : std::runtime_error {
  Refusal(int said, const std::string& what) : std::runtime_error(what), code(said) {}
  int code;  ///< the HTTP status or the close code; 0 if it gave none
};

// All here blocks unless it says otherwise, and throws std::runtime_error when the server does not do what
// it should.

/// A connected TCP socket, with TLS if asked for. Closed with the object. Moves, does not copy.
class Connection {
 public:
  Connection();
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  /// False if nobody listens there.
  bool try_open(const Target& target);
  /// The same, but nobody listening is an error.
  void open(const Target& target);
  /// Asks for a WebSocket; the answer is the caller's to read.
  void request_upgrade(const Target& target);
  /// The opening handshake of RFC 6455; reads not a byte beyond it.
  void upgrade(const Target& target);
  /// From now on read() and write() do not wait.
  void do_not_block();
  /// Bytes read, 0 at the end, -1 when there is nothing yet (or the socket's timeout has passed).
  long read(char* data, std::size_t size);
  void read_exactly(char* data, std::size_t size);
  void write(std::string_view data);
  int fd() const { return fd_; }

 private:
  struct Tls;
  void start_tls(const Target& target);

  int fd_ = -1;
  std::unique_ptr<Tls> tls_;
};

/// The status code of a GET; 0 if nobody listens there. Waits for the answer, however long the server takes.
int http_status(const Target& target);

/// The size of a server frame's header, once enough of it is there to tell; 0 before.
std::size_t header_size(std::string_view header);
/// The size of the payload that a whole header announces.
std::uint64_t payload_size(std::string_view header);
/// The low four bits of the first byte: what the frame is.
enum class Opcode { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
Opcode opcode_of(std::string_view header);
/// A whole frame as a client must send it; `payload` below 64 KiB. Its mask is zero: that leaves the bytes
/// as they are, and servers can't tell.
std::string client_frame(Opcode opcode, std::string_view payload);

}  // namespace trestle::bench
