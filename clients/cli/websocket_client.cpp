// The only file of the command line that sees websocketpp.
#include "clients/cli/websocket_client.h"

#include <unistd.h>

#include <asio.hpp>
#include <asio/ssl.hpp>
#include <exception>
#include <memory>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

#include "clients/cli/advice.h"
#include "clients/cli/exit_code.h"

namespace trestle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxMessage = 64 * 1024 * 1024;
constexpr long kLookEvery = 1'000;       // ms, for a bridge gone silent
constexpr long kCloseHandshake = 1'000;  // ms until we leave without an answer

template <class Config>
class Connection {
 public:
  using Client = websocketpp::client<Config>;
  using Handle = websocketpp::connection_hdl;

  Connection(const WebSocketRequest& request, const StopSignal& stop, const WebSocketHandlers& handlers)
      : request_(request), handlers_(handlers), stop_(io_, dup(stop.fd())) {
    client_.clear_access_channels(websocketpp::log::alevel::all);
    client_.clear_error_channels(websocketpp::log::elevel::all);
    client_.init_asio(&io_);
    client_.set_max_message_size(kMaxMessage);
    client_.set_close_handshake_timeout(kCloseHandshake);
    client_.set_user_agent("trestle");
    set_handlers();
    set_tls();
  }

  Ended run() {
    websocketpp::lib::error_code error;
    connection_ = client_.get_connection(request_.url, error);
    if (error) throw Failure(Exit::usage, "cannot use the address " + request_.url + ": " + error.message());
    if (!request_.token.empty()) connection_->append_header("Authorization", "Bearer " + request_.token);
    client_.connect(connection_);
    watch_stop();
    watch_silence();
    io_.run();
    if (failure_) std::rethrow_exception(failure_);
    return ended_;
  }

 private:
  void set_handlers() {
    client_.set_open_handler([this](Handle) {
      ended_.opened = true;
      heard_ = Clock::now();
    });
    client_.set_ping_handler([this](Handle, const std::string&) {
      heard_ = Clock::now();
      return true;
    });
    client_.set_message_handler([this](Handle, typename Client::message_ptr message) {
      heard_ = Clock::now();
      take(message->get_payload());
    });
    client_.set_close_handler([this](Handle) {
      ended_.close_code = connection_->get_remote_close_code();
      ended_.reason = connection_->get_remote_close_reason();
      // 1005 and 1006 are not on the wire: they say that there was no close frame, or one without a code.
      if (ended_.close_code == websocketpp::close::status::abnormal_close)
        ended_.error = "the connection was lost";
      io_.stop();
    });
    client_.set_fail_handler([this](Handle) {
      ended_.http_status = static_cast<int>(connection_->get_response_code());
      if (ended_.http_status == 101) ended_.http_status = 0;
      ended_.error = explain(connection_->get_ec(), connection_->get_transport_ec());
      io_.stop();
    });
  }

  // The transport's error is that of its last step, which over TLS is to say good-bye on a connection that
  // there never was.
  static std::string explain(const std::error_code& error, const std::error_code& transport) {
    namespace wst = websocketpp::transport::error;
    // Its answer to bytes that it can't read as HTTP.
    if (error == websocketpp::error::make_error_code(websocketpp::error::general))
      return std::string("what answers does not speak HTTP: ") + kNoTrestle;
    const bool vague = !error || error == wst::make_error_code(wst::pass_through);
    return vague && transport ? transport.message() : error.message();
  }

  void set_tls() {
    if constexpr (std::is_same_v<Config, websocketpp::config::asio_tls_client>) {
      client_.set_tls_init_handler([this](Handle) {
        auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
        std::error_code error;
        if (request_.ca_file.empty()) {
          context->set_default_verify_paths(error);
        } else {
          context->load_verify_file(request_.ca_file, error);
        }
        if (error)
          fail(Failure(Exit::usage,
                       "cannot use the certificates of " + request_.ca_file + ": " + error.message()));
        context->set_verify_mode(asio::ssl::verify_peer);
        context->set_verify_callback(
            [this](bool trusted, asio::ssl::verify_context& chain) { return accept(trusted, chain); });
        return context;
      });
    }
  }

  // Not the connection's get_host(): it has no address yet when its TLS context is made.
  bool accept(bool trusted, asio::ssl::verify_context& chain) {
    if (!trusted) {
      const int error = X509_STORE_CTX_get_error(chain.native_handle());
      ended_.distrust = X509_verify_cert_error_string(error);
    } else if (const auto host = websocketpp::uri(request_.url).get_host();
               !asio::ssl::host_name_verification(host)(trusted, chain)) {
      ended_.distrust = "it is not for " + host;
    }
    return ended_.distrust.empty();
  }

  void take(const std::string& message) {
    if (closing_) return;
    guarded([&] { return handlers_.on_message(message); });
    if (pause_announced_) return;
    // Posted work runs when websocketpp has handed over everything that one read brought.
    pause_announced_ = true;
    asio::post(io_, [this] {
      pause_announced_ = false;
      guarded([this] { return handlers_.on_pause(); });
    });
  }

  template <class Handler>
  void guarded(const Handler& handler) {
    try {
      if (!handler() && !closing_) close();
    } catch (...) {
      failure_ = std::current_exception();
      io_.stop();
    }
  }

  void fail(const Failure& failure) {
    failure_ = std::make_exception_ptr(failure);
    io_.stop();
  }

  void watch_stop() {
    stop_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const std::error_code& error) {
      if (!error) close();
    });
  }

  void watch_silence() {
    client_.set_timer(kLookEvery, [this](const std::error_code& error) {
      if (error) return;
      const auto limit = handlers_.silence();
      if (ended_.opened && limit.count() > 0 && Clock::now() - heard_ > limit) {
        ended_.error = "the bridge has been silent for too long";
        io_.stop();
        return;
      }
      watch_silence();
    });
  }

  void close() {
    closing_ = true;
    std::error_code error;
    connection_->close(websocketpp::close::status::normal, "", error);
    if (error) io_.stop();  // not open yet
  }

  const WebSocketRequest& request_;
  const WebSocketHandlers& handlers_;
  asio::io_context io_;
  asio::posix::stream_descriptor stop_;
  Client client_;
  typename Client::connection_ptr connection_;
  Clock::time_point heard_ = Clock::now();
  Ended ended_;
  bool closing_ = false;
  bool pause_announced_ = false;
  std::exception_ptr failure_;
};

}  // namespace

Ended run_websocket(const WebSocketRequest& request, const StopSignal& stop,
                    const WebSocketHandlers& handlers) {
  if (request.url.compare(0, 6, "wss://") == 0) {
    return Connection<websocketpp::config::asio_tls_client>(request, stop, handlers).run();
  }
  return Connection<websocketpp::config::asio_client>(request, stop, handlers).run();
}

}  // namespace trestle::cli
