#include "clients/pipeline/task.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <random>

namespace trestle::pipeline {

std::string_view name_of(Stage stage) { return stage == Stage::compression ? "compression" : "upload"; }

Result<Stage> parse_stage(std::string_view name) {
  for (const Stage stage : kStages) {
    if (name_of(stage) == name) return stage;
  }
  return Error{"\"" + std::string(name) + "\" is not a queue; there are compression and upload"};
}

std::string_view name_of(Status status) {
  switch (status) {
    case Status::compression_queued: return "compression-queued";
    case Status::compressing: return "compressing";
    case Status::upload_queued: return "upload-queued";
    case Status::uploading: return "uploading";
    case Status::completed: return "completed";
    case Status::failed: return "failed";
  }
  return "unknown";
}

std::string make_uuid() {
  std::random_device random;
  std::array<std::uint32_t, 4> words{};
  for (auto& word : words) word = random();
  words[1] = (words[1] & 0xffff0fffU) | 0x00004000U;  // version 4
  words[2] = (words[2] & 0x3fffffffU) | 0x80000000U;  // variant of RFC 4122
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%04x%08x", words[0], words[1] >> 16,
                words[1] & 0xffffU, words[2] >> 16, words[2] & 0xffffU, words[3]);
  return text;
}

Micros now_micros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string iso_time(Micros time) {
  const std::time_t seconds = time / 1'000'000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char day[32];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", day, static_cast<int>(time / 1000 % 1000));
  return text;
}

}  // namespace trestle::pipeline
