#include "bridge/ingest/zap.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

#include "bridge/log/log.h"
#include "bridge/wake_fd.h"

namespace trestle {
namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr std::chrono::milliseconds kLook{150};
constexpr std::chrono::seconds kQuiet{1};
// libzmq leaves a refused connection standing until then; only afterwards does the other side try again.
constexpr int kHandshakeMs = 3'000;
// What libzmq 4.3 has, but hides from zmq.h unless its drafts are asked for: ZMQ_ZAP_ENFORCE_DOMAIN, and the
// name of the property (ZMQ_MSG_PROPERTY_USER_ID).
constexpr int kEnforceDomain = 93;
constexpr const char* kUserId = "User-Id";
constexpr std::size_t kRequestFrames = 7;  // version, id, domain, address, routing id, mechanism, key
constexpr std::size_t kKeyBytes = 32;

// All frames of a message; nothing if none waits.
std::vector<std::string> receive(zmq::socket_t& socket) {
  std::vector<std::string> frames;
  zmq::message_t frame;
  while (socket.recv(frame, zmq::recv_flags::dontwait)) {
    frames.push_back(frame.to_string());
    if (!frame.more()) break;
  }
  return frames;
}

std::string as_text(const std::string& key) {
  std::array<char, 41> text{};
  if (key.size() != kKeyBytes) return {};
  zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(key.data()), key.size());
  return text.data();
}

}  // namespace

ZapHandler::ZapHandler(zmq::context_t& context, std::vector<Domain> domains)
    : domains_(std::move(domains)), socket_(context, zmq::socket_type::rep), wake_fd_(new_wake_fd()) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind(kZapAddress);
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "zap");
    run();
  });
}

ZapHandler::~ZapHandler() {
  stopping_ = true;
  wake(wake_fd_);
  thread_.join();
  ::close(wake_fd_);
}

void ZapHandler::reload() {
  reload_ = true;
  wake(wake_fd_);
}

void ZapHandler::run() {
  std::array<zmq::pollitem_t, 2> items{
      {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_fd_, ZMQ_POLLIN, 0}}};
  while (!stopping_) {
    try {
      zmq::poll(items.data(), items.size(), kLook);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
    clear_wake(wake_fd_);
    const bool asked = reload_.exchange(false);
    const auto now = std::chrono::steady_clock::now();
    for (const auto& domain : domains_) asked ? domain.producers->reload() : domain.producers->look(now);
    answer();
    tell_refused();
  }
}

void ZapHandler::answer() {
  const auto request = receive(socket_);
  if (request.empty()) return;
  const auto id = request.size() > 1 ? request[1] : "";
  const bool asks_for_curve = request.size() == kRequestFrames && request[5] == "CURVE";
  const auto key = asks_for_curve ? as_text(request[6]) : "";
  const bool listed = asks_for_curve && find(request[2], key) != nullptr;
  if (!listed) refuse(request.size() > 3 ? request[3] : "", key);
  // 300 is "not now": after 400 libzmq's clients would never come back.
  const std::array<std::string, 6> reply{
      "1.0", id, listed ? "200" : "300", listed ? "OK" : "not listed", listed ? key : "", ""};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const auto more = i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    (void)socket_.send(zmq::buffer(reply[i]), more);
  }
}

const ProducerGrant* ZapHandler::find(const std::string& domain, const std::string& key) const {
  for (const auto& known : domains_) {
    if (known.name == domain) return known.producers->current()->find(key);
  }
  return nullptr;
}

void ZapHandler::refuse(const std::string& address, const std::string& key) {
  ++refused_;
  refused_address_ = address;
  refused_key_ = key;
}

void ZapHandler::tell_refused() {
  const auto now = std::chrono::steady_clock::now();
  const auto total = refused_.load();
  if (total == told_ || now - told_at_ < kQuiet) return;
  log::warning(
      "connection refused, its key is not on the list of producers",
      {{"count", total - told_}, {"total", total}, {"address", refused_address_}, {"key", refused_key_}});
  told_ = total;
  told_at_ = now;
}

void serve_curve(zmq::socket_t& socket, const std::string& secret_key, const char* domain) {
  socket.set(zmq::sockopt::zap_domain, domain);
  const int enforce = 1;
  if (zmq_setsockopt(socket.handle(), kEnforceDomain, &enforce, sizeof enforce) != 0) {
    throw std::runtime_error("this libzmq can't enforce that CURVE keys are checked; Debian 12's can");
  }
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, secret_key);
}

void ProducerGate::refresh() {
  auto list = producers_->current();
  if (list == list_) return;
  list_ = std::move(list);
  last_key_.clear();
}

const ProducerGrant* ProducerGate::sender(zmq::message_t& frame) {
  const auto key = key_of_sender(frame);
  if (key.empty()) return nullptr;
  if (key != last_key_) {
    last_ = list_->find(key);
    last_key_ = key;
  }
  return last_;
}

std::string_view key_of_sender(zmq::message_t& frame) {
  const char* key = zmq_msg_gets(frame.handle(), kUserId);
  return key == nullptr ? std::string_view() : std::string_view(key);
}

}  // namespace trestle
