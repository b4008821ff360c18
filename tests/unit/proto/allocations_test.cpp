#include "tests/unit/proto/allocations.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
std::atomic<std::size_t> bytes{0};
}  // namespace

// Replaces the library's, so that "allocates nothing" can be a test.
// Not inlined: GCC warns of a mismatch where it sees only one of them through.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++count;
  bytes += size;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// Beside it, because a sanitizer brings one of its own.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace trestle {

std::size_t allocations() { return count; }
std::size_t allocated_bytes() { return bytes; }

TEST_CASE("allocations are counted") {
  const std::size_t before = allocations();
  const std::size_t bytes_before = allocated_bytes();
  const auto held = std::make_unique<int>(1);
  CHECK(allocations() == before + 1);
  CHECK(allocated_bytes() == bytes_before + sizeof(int));
}

}  // namespace trestle
