#pragma once
#include <cstddef>

namespace trestle {

/// How often this program has called operator new so far.
std::size_t allocations();
/// And for how many bytes in all.
std::size_t allocated_bytes();

}  // namespace trestle
