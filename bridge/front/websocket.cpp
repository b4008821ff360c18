#include "bridge/front/websocket.h"

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

namespace trestle {
namespace {

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
  static bool const enable_extensions = false;
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

// What of a reason fits into a close frame, not cut within a character: it must be UTF-8.
std::size_t reason_size(std::string_view reason) {
  constexpr std::size_t kMaxReason = 123;
  if (reason.size() <= kMaxReason) return reason.size();
  auto size = kMaxReason;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0) == 0x80) --size;
  return size;
}

class Connection final : public WebSocket {
 public:
  Connection(Server& server, WebSocketEvents& events, std::string subprotocol, std::size_t max_message)
      : events_(events), subprotocol_(std::move(subprotocol)), connection_(server.get_connection()) {
    connection_->set_max_message_size(max_message);
    set_handlers();
    connection_->start();
  }

  ~Connection() override {
    // websocketpp's connection holds itself through its own read handler; ending the input lets go of it.
    closed_ = true;
    connection_->fatal_error();
  }

  void feed(std::string_view bytes) override { connection_->read_all(bytes.data(), bytes.size()); }

  void close(std::uint16_t code, std::string_view reason) override {
    error_code ignored;  // not open, or closing already
    connection_->close(code, std::string(reason.substr(0, reason_size(reason))), ignored);
  }

  void end_of_input() override { connection_->eof(); }

 private:
  void set_handlers() {
    using Handle = websocketpp::connection_hdl;
    connection_->set_write_handler([this](Handle, const char* data, std::size_t size) {
      if (!closed_) events_.ws_write({data, size});
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
      events_.ws_open();
      release_handshake();
    });
    connection_->set_message_handler([this](Handle, const Server::message_ptr& message) {
      if (message->get_opcode() == websocketpp::frame::opcode::text) {
        events_.ws_text(message->get_payload());
      } else {
        events_.ws_binary();
      }
    });
    connection_->set_ping_handler([this](Handle, const std::string& payload) {
      events_.ws_ping(payload);
      return false;  // the session answers, so that at most one pong waits
    });
    connection_->set_close_handler([this](Handle) { over(connection_->get_remote_close_code()); });
    connection_->set_fail_handler([this](Handle) { over(websocketpp::close::status::abnormal_close); });
  }

  // Request and answer, with all their headers, are over a kilobyte that nothing needs once it is open, and
  // the token is in there; websocketpp would keep them and lets us only look at them.
  void release_handshake() {
    const_cast<WsConfig::request_type&>(connection_->get_request()) = {};
    const_cast<WsConfig::response_type&>(connection_->get_response()) = {};
  }

  void over(std::uint16_t code) {
    if (closed_) return;
    closed_ = true;
    events_.ws_closed(code);
  }

  WebSocketEvents& events_;
  const std::string subprotocol_;
  Server::connection_ptr connection_;
  bool closed_ = false;
};

}  // namespace

struct WebSocketFactory::Impl {
  explicit Impl(std::size_t max) : max_message(max) {}
  Server server;
  const std::size_t max_message;
};

WebSocketFactory::WebSocketFactory(std::size_t max_message) : impl_(std::make_unique<Impl>(max_message)) {
  // websocketpp finds out the byte order at its first use; here, before there are threads to race for it.
  (void)websocketpp::lib::net::_htonll(1);
}
WebSocketFactory::~WebSocketFactory() = default;

std::unique_ptr<WebSocket> WebSocketFactory::accept(WebSocketEvents& events, const std::string& subprotocol) {
  return std::make_unique<Connection>(impl_->server, events, subprotocol, impl_->max_message);
}

}  // namespace trestle
