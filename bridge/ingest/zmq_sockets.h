#pragma once
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "bridge/config/settings.h"
#include "bridge/ingest/ipc_lock.h"
#include "bridge/ingest/zap.h"
#include "proto/curve_key.h"
#include "proto/result.h"

namespace trestle {

/// The bridge's two ZeroMQ sockets, the locks on the ipc:// paths they are bound to, and under CURVE the
/// handler that decides who may connect.
///
/// Thread: made on one, used on one, as ZeroMQ wants it.
class ZmqSockets {
 public:
  /// Binds and connects everything in `settings`. Errors name the address and the way out.
  static Result<std::unique_ptr<ZmqSockets>> open(const IngestSettings& settings);
  /// Logs every bound address. Not done by open(): a start that fails later says only why.
  void announce() const;
  ZmqSockets(const ZmqSockets&) = delete;
  ZmqSockets& operator=(const ZmqSockets&) = delete;

  zmq::socket_t& events() { return events_; }    ///< SUB
  zmq::socket_t& control() { return control_; }  ///< ROUTER
  /// Nullptr without CURVE.
  const std::shared_ptr<ProducerWatch>& producers() const { return producers_; }
  ZapHandler* zap() { return zap_.get(); }

 private:
  ZmqSockets();
  void set_options(const IngestSettings& settings);
  Result<std::monostate> bind(zmq::socket_t& socket, const std::string& address, const char* key);
  Result<std::monostate> connect(const std::string& address);
  Result<std::monostate> use_curve(const CurveSettings& settings);
  void dial_with(const std::string& server_key);

  std::vector<IpcLock> locks_;  // before the context, so that they outlive it
  zmq::context_t context_{1};
  CurveKeys keys_;
  std::shared_ptr<ProducerWatch> producers_;
  std::unique_ptr<ZapHandler> zap_;
  zmq::socket_t events_;
  zmq::socket_t control_;
  std::vector<std::pair<std::string, std::string>> bound_;  // configuration key, address
};

}  // namespace trestle
