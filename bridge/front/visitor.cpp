#include "bridge/front/visitor.h"

#include <utility>

#include "bridge/front/forwarded.h"

namespace trestle {

using std::chrono::milliseconds;

Visitor::Visitor(FrontContext& context, std::shared_ptr<const ListenerInfo> info, const IpAddress& peer)
    : context_(context), info_(std::move(info)), address_(peer), text_(peer.text()) {
  if (!is_proxy()) counted_for_ = address_.block();
}

Visitor::~Visitor() { leave(); }

void Visitor::leave() {
  if (std::exchange(open_, false)) context_.admission.close(counted_for_);
  if (std::exchange(here_, false)) context_.admission.leave(counted_for_);
}

Admission::Answer Visitor::arrive() {
  const auto answer = context_.admission.arrive(counted_for_, is_own() && !is_proxy());
  here_ = answer == Admission::Answer::welcome;
  return answer;
}

bool Visitor::is_proxy() const { return is_in(info_->trusted_proxies, address_); }

Admission::Answer Visitor::comes_from(const IpAddress& address) { return move_to(address); }

Admission::Answer Visitor::forwarded(std::string_view header) {
  if (!is_proxy()) return Admission::Answer::welcome;
  const auto address = forwarded_for(header, info_->trusted_proxies);
  return address ? move_to(*address) : Admission::Answer::welcome;
}

// A proxy's own proxy, named in a PROXY header, is still nobody in particular.
Admission::Answer Visitor::move_to(const IpAddress& address) {
  through_proxy_ = true;
  address_ = address;
  text_ = address.text();
  const auto whom = is_proxy() ? Admission::Whom() : Admission::Whom(address_.block());
  const auto answer = context_.admission.move(counted_for_, whom);
  if (answer == Admission::Answer::welcome) counted_for_ = whom;
  return answer;
}

bool Visitor::open() {
  open_ = context_.admission.open(counted_for_);
  return open_;
}

std::optional<IpAddress> Visitor::suspect() const {
  if (is_own() || is_proxy()) return std::nullopt;
  return address_.block();
}

milliseconds Visitor::wait(Time now) const {
  const auto block = suspect();
  return block ? context_.backoff.wait(*block, now) : milliseconds(0);
}

milliseconds Visitor::token_was_unknown(Time now) {
  const auto block = suspect();
  return block ? context_.backoff.failed(*block, now) : milliseconds(0);
}

void Visitor::token_was_good() {
  if (const auto block = suspect()) context_.backoff.succeeded(*block);
}

}  // namespace trestle
