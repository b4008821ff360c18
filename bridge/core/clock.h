#pragma once
#include <chrono>

#include "bridge/core/event.h"

namespace trestle {

/// The one place where the edges ask for the time that the core is given.
inline Now read_clock() {
  using namespace std::chrono;
  return {steady_clock::now(), duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

}  // namespace trestle
