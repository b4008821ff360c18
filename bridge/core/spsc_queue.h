#pragma once
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace trestle {

/// A bounded queue between exactly one producing and one consuming thread, without locks. Both ends return at
/// once. Two indices on cache lines of their own, as in L. Lamport, "Specifying Concurrent Program Modules"
/// (1983).
template <class T>
class SpscQueue {
 public:
  /// Holds `capacity` items, at least one.
  explicit SpscQueue(std::size_t capacity) : slots_(capacity + 1) {}

  /// Producer's thread. False, and `item` untouched, when full.
  bool push(T&& item) {
    const auto tail = tail_.load(std::memory_order_relaxed);
    const auto next = after(tail);
    if (next == head_.load(std::memory_order_acquire)) return false;
    slots_[tail] = std::move(item);
    tail_.store(next, std::memory_order_release);
    return true;
  }

  /// Producer's thread: true if push() would succeed so many times.
  bool has_room_for(std::size_t items) const {
    const auto tail = tail_.load(std::memory_order_relaxed);
    const auto head = head_.load(std::memory_order_acquire);
    const auto used = tail >= head ? tail - head : tail + slots_.size() - head;
    return used + items < slots_.size();
  }

  /// Consumer's thread.
  bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }

  /// Consumer's thread. False when empty.
  bool pop(T& item) {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    item = std::move(slots_[head]);
    slots_[head] = T{};
    head_.store(after(head), std::memory_order_release);
    return true;
  }

 private:
  std::size_t after(std::size_t index) const { return index + 1 == slots_.size() ? 0 : index + 1; }

  std::vector<T> slots_;
  alignas(64) std::atomic<std::size_t> head_{0};  // the consumer writes
  alignas(64) std::atomic<std::size_t> tail_{0};  // the producer writes
};

}  // namespace trestle
