#pragma once
#include <stdexcept>

namespace trestle::pipeline {

/// Thrown by a program that can't start; the message says what to do.
struct CannotStart : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace trestle::pipeline
