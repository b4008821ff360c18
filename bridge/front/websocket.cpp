#include "bridge/front/websocket.h"

#include <string>
#include <utility>
#include <vector>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "bridge/core/deflate.h"
#include "bridge/front/frame_watch.h"
#include "proto/utf8.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

namespace frame = websocketpp::frame;
namespace status = websocketpp::close::status;

// A client's message as websocketpp collects it. One that is compressed it takes for binary, so it does not
// look for UTF-8 in what is not text yet.
class Message
    : public websocketpp::message_buffer::message<websocketpp::message_buffer::alloc::con_msg_manager> {
 public:
  using ptr = std::shared_ptr<Message>;
  Message(frame::opcode::value opcode, std::size_t size) : message(nullptr, opcode, size) {}
  Message() : message(nullptr) {}
  frame::opcode::value get_opcode() const { return get_compressed() ? frame::opcode::binary : sent_as(); }
  frame::opcode::value sent_as() const { return message::get_opcode(); }
};

class Messages {
 public:
  using ptr = std::shared_ptr<Messages>;
  Message::ptr get_message() { return std::make_shared<Message>(); }
  Message::ptr get_message(frame::opcode::value opcode, std::size_t size) {
    return std::make_shared<Message>(opcode, size);
  }
};

// permessage-deflate in the shape that websocketpp wants. What to agree to was decided before
// (settle_extensions), and a message is inflated as a whole once it is here: no zlib a connection, and its
// size is checked in one place.
class DeflateExtension {
 public:
  using Error = websocketpp::lib::error_code;

  std::pair<Error, std::string> negotiate(const websocketpp::http::attribute_list& offer) {
    agreed_ = true;
    std::string answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    if (!offer.empty()) answer += "; server_max_window_bits=15";
    return {Error(), answer};
  }
  Error init(bool /*is_server*/) { return {}; }
  bool is_implemented() const { return true; }
  bool is_enabled() const { return agreed_; }
  std::string generate_offer() const { return {}; }
  Error decompress(const std::uint8_t* bytes, std::size_t size, std::string& out) {
    out.append(reinterpret_cast<const char*>(bytes), size);
    return {};
  }
  Error compress(const std::string& /*in*/, std::string& /*out*/) {
    namespace extensions = websocketpp::extensions::error;
    return extensions::make_error_code(extensions::disabled);  // our frames are made elsewhere
  }

 private:
  bool agreed_ = false;
};

// websocketpp without threads, logs, timers or sockets. Its iostream transport calls us for every write at
// once, never later, so the session's outbox sees all bytes in order; its Asio transport posts writes, and a
// ping that is already on its way can then land in the middle of a frame that was only partly accepted by the
// socket.
struct WsConfig : websocketpp::config::core {
  using type = WsConfig;
  using concurrency_type = websocketpp::concurrency::none;
  using elog_type = websocketpp::log::stub;
  using alog_type = websocketpp::log::stub;
  struct transport_config : websocketpp::config::core::transport_config {
    using concurrency_type = type::concurrency_type;
    using elog_type = type::elog_type;
    using alog_type = type::alog_type;
  };
  using transport_type = websocketpp::transport::iostream::endpoint<transport_config>;
  using message_type = Message;
  using con_msg_manager_type = Messages;
  using endpoint_msg_manager_type = websocketpp::message_buffer::alloc::endpoint_msg_manager<Messages>;
  using permessage_deflate_type = DeflateExtension;
  // It lives in every connection; the shard's own buffer does the reading, so this only has to hold a piece
  // at a time.
  static size_t const connection_read_buffer_size = 128;
  // Timers are the shard's: the iostream transport has none.
  static long const timeout_open_handshake = 0;
  static long const timeout_close_handshake = 0;
  static long const timeout_pong = 0;
};

using Server = websocketpp::server<WsConfig>;
using websocketpp::lib::error_code;

// A connection keeps the last bytes that it was given, unmasked: perhaps those of a token. It lets nobody at
// them, but an explicit instantiation may name what is private.
using LastBytes = char[WsConfig::connection_read_buffer_size];
LastBytes& last_bytes_of(Server::connection_type& connection);
template <LastBytes Server::connection_type::*kMember>
struct LetIn {
  friend LastBytes& last_bytes_of(Server::connection_type& connection) { return connection.*kMember; }
};
template struct LetIn<&Server::connection_type::m_buf>;

// What of a reason fits into a close frame, not cut within a character: it must be UTF-8.
std::size_t reason_size(std::string_view reason) {
  constexpr std::size_t kMaxReason = 123;
  if (reason.size() <= kMaxReason) return reason.size();
  auto size = kMaxReason;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return size;
}

using Buffers = std::vector<websocketpp::transport::buffer>;

std::string join(const Buffers& parts) {
  std::string whole;
  for (const auto& part : parts) whole.append(part.buf, part.len);
  return whole;
}

// What all connections of a factory share.
struct Shared {
  Server server;
  Inflater inflater;
  std::string inflated;  // the message at hand
  std::size_t max_message = 0;
};

class Connection final : public WebSocket {
 public:
  Connection(Shared& shared, WebSocketEvents& events, std::string subprotocol)
      : shared_(shared),
        events_(events),
        subprotocol_(std::move(subprotocol)),
        connection_(shared.server.get_connection()) {
    connection_->set_max_message_size(shared.max_message);
    set_handlers();
    connection_->start();
  }

  ~Connection() override {
    // websocketpp's connection holds itself through its own read handler; ending the input lets go of it.
    closed_ = true;
    connection_->fatal_error();
  }

  void feed(std::string_view bytes) override {
    if (closed_) return;
    if (!opened_) {
      constexpr std::string_view kEndOfHeader = "\r\n\r\n";
      const auto end = bytes.find(kEndOfHeader);
      const auto header = end == bytes.npos ? bytes.size() : end + kEndOfHeader.size();
      read(bytes.substr(0, header));
      bytes.remove_prefix(header);
    }
    const auto fault = watch_.find_fault(bytes);
    read(bytes.substr(0, fault.value_or(bytes.npos)));
    if (fault) fail(status::protocol_error, "a frame that RFC 6455 or 7692 does not allow");
  }

  void close(std::uint16_t code, std::string_view reason) override {
    error_code ignored;  // not open, or closing already
    connection_->close(code, std::string(reason.substr(0, reason_size(reason))), ignored);
  }

  void end_of_input() override { connection_->eof(); }

 private:
  void read(std::string_view bytes) {
    if (bytes.empty()) return;
    connection_->read_all(bytes.data(), bytes.size());
    auto& last = last_bytes_of(*connection_);
    wipe(last, sizeof last);
  }

  void set_handlers() {
    using Handle = websocketpp::connection_hdl;
    connection_->set_write_handler([this](Handle, const char* data, std::size_t size) {
      if (!closed_ && (opened_ || is_agreement())) events_.ws_write({data, size});
      return error_code();
    });
    // All that websocketpp writes once it is open are close frames: one, for it answers a faulty close frame
    // even if ours has gone out already, and nothing may follow that (RFC 6455 section 5.5.1).
    connection_->set_vector_write_handler([this](Handle, const Buffers& parts) {
      if (!closed_ && !std::exchange(close_sent_, true)) events_.ws_write(join(parts));
      return error_code();
    });
    connection_->set_validate_handler([this](Handle) {
      if (!subprotocol_.empty()) {
        error_code ignored;
        connection_->select_subprotocol(subprotocol_, ignored);
      }
      return true;
    });
    connection_->set_open_handler([this](Handle) {
      opened_ = true;
      deflate_ = !connection_->get_response_header("Sec-WebSocket-Extensions").empty();
      events_.ws_open(deflate_);
      release_handshake();
    });
    connection_->set_message_handler(
        [this](Handle, const Server::message_ptr& message) { on_message(*message); });
    connection_->set_ping_handler([this](Handle, const std::string& payload) {
      events_.ws_ping(payload);
      return false;  // the session answers, so that at most one pong waits
    });
    connection_->set_close_handler([this](Handle) { over(connection_->get_remote_close_code()); });
    connection_->set_fail_handler([this](Handle) { over(status::abnormal_close); });
  }

  // What it answers to a request that is no handshake lacks our headers, and even a length.
  bool is_agreement() const {
    return connection_->get_response_code() == websocketpp::http::status_code::switching_protocols;
  }

  // Request and answer, with all their headers, are over a kilobyte that nothing needs once it is open, and
  // the token is in there; websocketpp would keep them and lets us only look at them.
  void release_handshake() {
    wipe(const_cast<std::string&>(connection_->get_resource()));
    for (auto& offered : connection_->get_requested_subprotocols()) wipe(const_cast<std::string&>(offered));
    // Swapped, not assigned: a string that is given a shorter text keeps its room and what stands there.
    WsConfig::request_type request;
    std::swap(request, const_cast<WsConfig::request_type&>(connection_->get_request()));
    WsConfig::response_type response;
    std::swap(response, const_cast<WsConfig::response_type&>(connection_->get_response()));
  }

  void on_message(const Message& message) {
    if (message.sent_as() != frame::opcode::text) return events_.ws_binary();
    const auto& payload = message.get_payload();
    if (message.get_compressed() && !inflate(payload)) return;
    const auto& text = message.get_compressed() ? shared_.inflated : payload;
    // websocketpp does not see that a message in fragments ends within a character.
    if (!is_utf8(text)) return fail(status::invalid_payload, "the message is not UTF-8");
    events_.ws_text(text);
    if (message.get_compressed()) wipe(shared_.inflated);
  }

  bool inflate(std::string_view payload) {
    constexpr std::size_t kTail = 4;  // websocketpp puts it there, and so does the inflater
    payload.remove_suffix(kTail);
    switch (shared_.inflater.inflate(payload, shared_.max_message, shared_.inflated)) {
      case Inflated::too_big: fail(status::message_too_big, "the message inflates to too much"); return false;
      case Inflated::invalid: fail(status::invalid_payload, "not a compressed message"); return false;
      case Inflated::ok: break;
    }
    return true;
  }

  // RFC 6455 section 7.1.7: it is over without the peer's half of the closing handshake.
  void fail(std::uint16_t code, std::string_view reason) {
    if (closed_) return;
    close(code, reason);
    over(status::abnormal_close);
  }

  void over(std::uint16_t code) {
    if (closed_) return;
    closed_ = true;
    events_.ws_closed(code);
  }

  Shared& shared_;
  WebSocketEvents& events_;
  const std::string subprotocol_;
  Server::connection_ptr connection_;
  FrameWatch watch_;
  bool opened_ = false;
  bool deflate_ = false;
  bool close_sent_ = false;
  bool closed_ = false;
};

}  // namespace

struct WebSocketFactory::Impl {
  Shared shared;
};

WebSocketFactory::WebSocketFactory(std::size_t max_message) : impl_(std::make_unique<Impl>()) {
  impl_->shared.max_message = max_message;
  // websocketpp finds out the byte order at its first use; here, before there are threads to race for it.
  (void)websocketpp::lib::net::_htonll(1);
}
WebSocketFactory::~WebSocketFactory() = default;

std::unique_ptr<WebSocket> WebSocketFactory::accept(WebSocketEvents& events, const std::string& subprotocol) {
  return std::make_unique<Connection>(impl_->shared, events, subprotocol);
}

}  // namespace trestle
