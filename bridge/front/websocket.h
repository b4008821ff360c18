#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace trestle {

/// What a WebSocket connection tells its session. Called from within feed() and close().
class WebSocketEvents {
 public:
  /// Bytes for the peer: the handshake's answer, a close frame. They go through the outbox like everything
  /// else.
  virtual void ws_write(std::string_view bytes) = 0;
  /// `deflate`: the peer takes compressed messages.
  virtual void ws_open(bool deflate) = 0;
  virtual void ws_text(const std::string& text) = 0;
  virtual void ws_binary() = 0;
  virtual void ws_ping(const std::string& payload) = 0;
  /// The protocol is over, by a close handshake or an error; `code` is what the peer said, 1006 if nothing.
  /// Before ws_open(): the request is no handshake, and nothing was written.
  virtual void ws_closed(std::uint16_t code) = 0;

 protected:
  ~WebSocketEvents() = default;
};

/// One connection's WebSocket protocol (RFC 6455): the opening handshake, reading frames, the closing
/// handshake. It owns no socket: bytes come in by feed() and leave by ws_write(). Event frames are not its
/// business, they are encoded elsewhere and share the outbox. What the peer compressed (permessage-deflate)
/// is inflated here.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// Bytes from the peer; the request's header first, whole and with its extensions settled
  /// (settle_extensions()). Whatever they are: errors end in a close frame and ws_closed().
  virtual void feed(std::string_view bytes) = 0;
  /// Starts the closing handshake; later calls do nothing. `reason` is UTF-8 and cut to 123 bytes.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// The peer's side of the connection has ended.
  virtual void end_of_input() = 0;
};

/// Makes the WebSocket side of connections; one a shard.
class WebSocketFactory {
 public:
  /// `max_message` bounds what a client may send in one message, fragments together, as it comes and
  /// inflated; more is answered with 1009.
  explicit WebSocketFactory(std::size_t max_message);
  ~WebSocketFactory();

  /// `events` outlives the connection. `subprotocol` is the one of the client's that the answer names; empty
  /// for none.
  std::unique_ptr<WebSocket> accept(WebSocketEvents& events, const std::string& subprotocol);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trestle
