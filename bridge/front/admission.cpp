#include "bridge/front/admission.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr std::size_t kLeastHeadroom = 32;
constexpr std::size_t kOwnPlaces = 8;  // of the total, for this machine's health checks

}  // namespace

Admission::Admission(std::size_t total, std::size_t per_address) : total_(total), per_address_(per_address) {}

std::size_t Admission::connections_for(std::size_t sessions) {
  return sessions + std::max(sessions / 4, kLeastHeadroom);
}

bool Admission::is_too_many_of_theirs(const IpAddress& whom) const {
  if (per_address_ == 0) return false;
  const auto found = by_address_.find(whom);
  return found != by_address_.end() && found->second.connections >= connections_for(per_address_);
}

Admission::Answer Admission::arrive(const Whom& whom, bool own) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto places = connections_for(total_) - (own ? 0 : kOwnPlaces);
  if (total_ != 0 && all_.connections >= places) return Answer::full;
  if (whom && is_too_many_of_theirs(*whom)) return Answer::too_many_of_theirs;
  ++all_.connections;
  if (whom) ++by_address_[*whom].connections;
  return Answer::welcome;
}

void Admission::leave(const Whom& whom) {
  const std::lock_guard<std::mutex> lock(mutex_);
  --all_.connections;
  if (!whom) return;
  const auto found = by_address_.find(*whom);
  if (--found->second.connections == 0) by_address_.erase(found);
}

Admission::Answer Admission::move(const Whom& from, const Whom& to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (to && is_too_many_of_theirs(*to)) return Answer::too_many_of_theirs;
  if (to) ++by_address_[*to].connections;
  if (!from) return Answer::welcome;
  const auto found = by_address_.find(*from);
  if (--found->second.connections == 0) by_address_.erase(found);
  return Answer::welcome;
}

bool Admission::open(const Whom& whom) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (total_ != 0 && all_.sessions >= total_) return false;
  if (whom) {
    auto& theirs = by_address_[*whom];
    if (per_address_ != 0 && theirs.sessions >= per_address_) return false;
    ++theirs.sessions;
  }
  ++all_.sessions;
  return true;
}

void Admission::close(const Whom& whom) {
  const std::lock_guard<std::mutex> lock(mutex_);
  --all_.sessions;
  if (whom) --by_address_[*whom].sessions;
}

}  // namespace trestle
