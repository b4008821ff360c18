#pragma once
#include <string>
#include <utility>
#include <variant>

namespace trestle {

/// Why something failed, in words for the person who reads it. Never contains a token.
struct Error {
  std::string message;
};

/// A value or the reason there is none; the method names are those of std::expected (C++23).
/// Access to the part that is not there throws std::bad_variant_access: a bug of ours, not an input.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace trestle
