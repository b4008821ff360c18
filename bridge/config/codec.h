#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/config/address.h"
#include "bridge/config/ip_address.h"
#include "bridge/config/nearest.h"
#include "bridge/config/origin.h"
#include "bridge/config/text.h"
#include "bridge/config/values.h"
#include "proto/pattern.h"
#include "proto/result.h"

namespace trestle {

/// How a member is written: text to value, checked, and back. print() gives what parse() reads as the same
/// value.
template <class T>
struct Codec {
  std::function<Result<T>(const std::string&)> parse;
  std::function<std::string(const T&)> print;
};

/// The codecs; in a namespace of their own since their names are short.
namespace codec {

inline std::string same_text(const std::string& text) { return text; }

inline Codec<bool> boolean() {
  return {[](const std::string& text) { return parse_boolean(text); },
          [](bool b) { return b ? "true" : "false"; }};
}
inline Codec<std::string> any_text() {
  return {[](const std::string& text) -> Result<std::string> { return text; }, same_text};
}
inline Codec<std::filesystem::path> path() {
  return {
      [](const std::string& text) -> Result<std::filesystem::path> { return std::filesystem::path(text); },
      [](const std::filesystem::path& p) { return p.string(); }};
}
inline Codec<Pattern> pattern() {
  return {[](const std::string& text) { return Pattern::parse(text); },
          [](const Pattern& p) { return p.text(); }};
}
/// A JSON pointer, or nothing at all.
inline Codec<std::string> pointer() {
  return {[](const std::string& text) -> Result<std::string> {
            if (text.empty()) return text;
            return parse_pointer(text);
          },
          same_text};
}
inline Codec<std::string> listen_address() { return {parse_listen_address, same_text}; }
/// What `parse` takes, as it was written.
template <class Parse>
Codec<std::string> text_that(Parse parse) {
  return {[parse](const std::string& text) -> Result<std::string> {
            if (auto parsed = parse(text); !parsed) return parsed.error();
            return text;
          },
          same_text};
}
inline Codec<std::string> network() { return text_that(Network::parse); }
inline Codec<std::string> allowed_origin() { return text_that(Origin::parse_allowed); }
inline Codec<std::string> zmq_address(ZmqSide side) {
  return {[side](const std::string& text) { return parse_zmq_address(text, side); }, same_text};
}

template <class T>
Codec<T> count(Range range) {
  return {[range](const std::string& text) -> Result<T> {
            const auto number = parse_count(text, range);
            if (!number) return number.error();
            return static_cast<T>(*number);
          },
          [](const T& number) { return std::to_string(number); }};
}
inline Codec<std::size_t> size(Range range) {
  return {[range](const std::string& text) { return parse_quantity(sizes(), text, range); },
          [](std::size_t bytes) { return print_quantity(sizes(), bytes); }};
}
/// `Unit` is the member's type: a duration that it cannot hold exactly is refused.
template <class Unit>
Codec<Unit> duration(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  const Range range{static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count())};
  return {[range](const std::string& text) -> Result<Unit> {
            const auto parsed = parse_quantity(durations(), text, range);
            if (!parsed) return parsed.error();
            const std::chrono::milliseconds exact(static_cast<std::int64_t>(*parsed));
            const auto rounded = std::chrono::duration_cast<Unit>(exact);
            if (rounded != exact) return Error{in_quotes(text) + " is not in whole seconds"};
            return rounded;
          },
          [](const Unit& value) {
            const std::chrono::milliseconds exact = value;
            return print_quantity(durations(), static_cast<std::uint64_t>(exact.count()));
          }};
}

/// One of a few words, each of which stands for a value.
template <class T>
Codec<T> word(std::vector<std::pair<std::string, T>> words) {
  std::vector<std::string> names;
  for (const auto& entry : words) names.push_back(entry.first);
  return {[words, names](const std::string& text) -> Result<T> {
            for (const auto& [name, value] : words) {
              if (name == text) return value;
            }
            const auto meant = nearest(text, names);
            return Error{in_quotes(text) + " is not one of " + joined(names) +
                         (meant.empty() ? "" : " (did you mean " + in_quotes(meant) + "?)")};
          },
          [words](const T& wanted) {
            const auto at = std::find_if(words.begin(), words.end(),
                                         [&](const auto& entry) { return entry.second == wanted; });
            return at->first;
          }};
}

}  // namespace codec
}  // namespace trestle
