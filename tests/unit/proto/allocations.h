#pragma once
#include <cstddef>

namespace trestle {

/// How often this program has called operator new so far.
std::size_t allocations();

}  // namespace trestle
