#include "tests/unit/proto/allocations.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
}  // namespace

// Replaces the library's, so that "allocates nothing" can be a test.
void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace trestle {

std::size_t allocations() { return count; }

TEST_CASE("allocations are counted") {
  const std::size_t before = allocations();
  const auto held = std::make_unique<int>(1);
  CHECK(allocations() == before + 1);
}

}  // namespace trestle
