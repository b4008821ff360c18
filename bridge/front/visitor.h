#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/config/ip_address.h"
#include "bridge/front/admission.h"
#include "bridge/front/front_context.h"

namespace trestle {

/// Whom a connection is from: its place in the limits, from accept to its end, and how its address stands
/// with wrong tokens. Behind a trusted proxy the address is what the proxy says; until it has said it, the
/// connection is nobody's in particular.
///
/// Owner: first the listener, then the session. Outlived by the context.  Thread: its owner's.
class Visitor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Visitor(FrontContext& context, std::shared_ptr<const ListenerInfo> info, const IpAddress& peer);
  ~Visitor();
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  /// The first thing to call; what is not welcome has no place and should go.
  Admission::Answer arrive();
  /// The connection is from a trusted proxy, which may say whom it brings.
  bool is_proxy() const;
  /// What the proxy said: a PROXY header's source, or a request's X-Forwarded-For (of others than trusted
  /// proxies, and where nothing in it can be used, ignored). Not welcome: more than enough of theirs are
  /// here.
  Admission::Answer comes_from(const IpAddress& address);
  Admission::Answer forwarded(std::string_view header);
  /// It becomes a WebSocket session, if that is within the limits.
  bool open();
  /// Gives back whatever places it has.
  void leave();

  /// From this machine, and not through a proxy that we know of.
  bool is_own() const { return !through_proxy_ && address_.is_loopback(); }
  /// For logs and status.
  const std::string& address() const { return text_; }

  /// How long tokens from this address are not looked at, because too many were wrong; 0 if they are. This
  /// machine and proxies are never made to wait: one of the many behind such an address would lock out all.
  std::chrono::milliseconds wait(Time now) const;
  /// How long that makes the address wait; 0 if not at all.
  std::chrono::milliseconds token_was_unknown(Time now);
  void token_was_good();

 private:
  std::optional<IpAddress> suspect() const;
  Admission::Answer move_to(const IpAddress& address);

  FrontContext& context_;
  const std::shared_ptr<const ListenerInfo> info_;
  IpAddress address_;
  std::string text_;
  bool through_proxy_ = false;
  Admission::Whom counted_for_;
  bool here_ = false;
  bool open_ = false;
};

}  // namespace trestle
