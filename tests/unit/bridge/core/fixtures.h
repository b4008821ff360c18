#pragma once
#include <chrono>
#include <string>

#include "bridge/core/event.h"

/// What the core's tests share: time as a value, events made in a word, and outcomes as texts to compare.
namespace trestle {

using std::chrono::milliseconds;

inline constexpr Micros kTestStart = 1'700'000'000'000'000;  // some day in 2023

/// So long after the test's start.
inline Now at(milliseconds elapsed) {
  return {std::chrono::steady_clock::time_point(std::chrono::hours(1)) + elapsed,
          kTestStart + std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()};
}

inline Event event_of(std::string payload) {
  Event event;
  event.topic = "t";
  event.payload = std::move(payload);
  return event;
}

inline std::string range_text(Seq from, Seq to) {
  return from == to ? std::to_string(from) : std::to_string(from) + "-" + std::to_string(to);
}

inline void add_word(std::string& sentence, const std::string& word) {
  if (!sentence.empty()) sentence += ' ';
  sentence += word;
}

/// "1 2 lost:3-5 6": payloads in order with the holes between them; "nothing" for nothing. Empties it.
inline std::string take_text(Ready& ready) {
  std::string text;
  auto lost = ready.lost.begin();
  for (std::size_t i = 0; i <= ready.events.size(); ++i) {
    for (; lost != ready.lost.end() && lost->before == i; ++lost) {
      add_word(text, "lost:" + range_text(lost->from, lost->to));
    }
    if (i < ready.events.size()) add_word(text, ready.events[i].payload);
  }
  if (lost != ready.lost.end()) text += " and a hole out of order";
  ready = {};
  return text.empty() ? "nothing" : text;
}

}  // namespace trestle
