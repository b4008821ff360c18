#include "bridge/front/backoff.h"

#include <algorithm>

namespace trestle {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirst{1'000};
constexpr milliseconds kMost{300'000};
constexpr milliseconds kForgotten{900'000};
constexpr std::size_t kDoublings = 9;  // more than kMost needs

}  // namespace

Backoff::Backoff(std::size_t allowed, std::size_t most_blocks)
    : allowed_(allowed), most_blocks_(most_blocks) {}

milliseconds Backoff::wait(const IpAddress& block, Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = find(block, now);
  if (entry == entries_.end() || entry->until <= now) return milliseconds(0);
  return std::chrono::ceil<milliseconds>(entry->until - now);
}

milliseconds Backoff::failed(const IpAddress& block, Time now) {
  if (allowed_ == 0) return milliseconds(0);
  const std::lock_guard<std::mutex> lock(mutex_);
  auto entry = find(block, now);
  if (entry == entries_.end()) {
    if (entries_.size() >= most_blocks_) forget(std::prev(entries_.end()));
    entry = entries_.insert(entries_.begin(), Entry{block, 0, now, now});
    by_block_.emplace(block, entry);
  } else {
    entries_.splice(entries_.begin(), entries_, entry);
  }
  ++entry->failures;
  entry->last = now;
  if (entry->failures < allowed_) return milliseconds(0);
  const auto doublings = std::min(entry->failures - allowed_, kDoublings);
  const auto wait = std::min(kFirst * (1 << doublings), kMost);
  entry->until = now + wait;
  return wait;
}

void Backoff::succeeded(const IpAddress& block) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = by_block_.find(block); found != by_block_.end()) forget(found->second);
}

std::size_t Backoff::size() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

Backoff::Entries::iterator Backoff::find(const IpAddress& block, Time now) {
  const auto found = by_block_.find(block);
  if (found == by_block_.end()) return entries_.end();
  if (now - found->second->last < kForgotten) return found->second;
  forget(found->second);
  return entries_.end();
}

void Backoff::forget(Entries::iterator entry) {
  by_block_.erase(entry->block);
  entries_.erase(entry);
}

}  // namespace trestle
