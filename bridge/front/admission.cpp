#include "bridge/front/admission.h"

namespace trestle {

bool Admission::admit(const std::string& address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (total_ != 0 && count_ >= total_) return false;
  auto& here = by_address_[address];
  if (per_address_ != 0 && here >= per_address_) return false;
  ++here;
  ++count_;
  return true;
}

void Admission::release(const std::string& address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  --count_;
  if (--found->second == 0) by_address_.erase(found);
}

}  // namespace trestle
