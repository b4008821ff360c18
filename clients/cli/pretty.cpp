#include "clients/cli/pretty.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace trestle::cli {
namespace {

using rapidjson::Value;

constexpr std::size_t kBar = 20;
constexpr std::size_t kMaxValue = 60;  // columns of one member's text

constexpr const char* kDim = "\033[2m";
constexpr const char* kBold = "\033[1m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kReset = "\033[0m";

/// A line under construction that knows its width without the colours.
class Line {
 public:
  explicit Line(const PrettyStyle& style) : style_(style) {}
  void add(std::string_view text, const char* colour = nullptr) {
    const std::string shown = cut(text);
    if (shown.empty()) return;
    if (colour != nullptr && style_.colour) text_ += colour;
    text_ += shown;
    if (colour != nullptr && style_.colour) text_ += kReset;
  }
  std::string take() { return std::move(text_); }

 private:
  // A character of UTF-8 starts with any byte that is not a continuation. Wide ones are counted as one: a
  // wrapped line at worst.
  static bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

  std::string cut(std::string_view text) {
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
      if (!starts_character(text[end])) continue;
      if (style_.width != 0 && used_ >= style_.width) break;
      ++used_;
    }
    return std::string(text.substr(0, end));
  }

  const PrettyStyle style_;
  std::string text_;
  std::size_t used_ = 0;
};

const Value* member(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string_view text_of(const Value* value) {
  return value != nullptr && value->IsString()
             ? std::string_view(value->GetString(), value->GetStringLength())
             : std::string_view();
}

std::string shortened(std::string text) {
  if (text.size() <= kMaxValue) return text;
  std::size_t end = kMaxValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string number_text(const Value& value) {
  if (value.IsUint64()) return std::to_string(value.GetUint64());
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  char text[32];
  std::snprintf(text, sizeof text, "%g", value.GetDouble());
  return text;
}

std::string value_text(const Value& value) {
  switch (value.GetType()) {
    case rapidjson::kStringType: return shortened(harmless(text_of(&value)));
    case rapidjson::kNumberType: return number_text(value);
    case rapidjson::kTrueType: return "true";
    case rapidjson::kFalseType: return "false";
    case rapidjson::kArrayType: return "[" + std::to_string(value.Size()) + "]";
    case rapidjson::kObjectType: return "{" + std::to_string(value.MemberCount()) + "}";
    default: return "null";
  }
}

void add_members(Line& line, const Value& object, std::string_view leave_out) {
  for (const auto& [name, value] : object.GetObject()) {
    const std::string_view key(name.GetString(), name.GetStringLength());
    if (key == leave_out) continue;
    line.add(" " + harmless(key) + "=", kDim);
    line.add(value_text(value));
  }
}

bool add_progress(Line& line, const Value& event) {
  const Value* percentage = member(event, "percentage");
  if (percentage == nullptr || !percentage->IsNumber()) return false;
  line.add(" " + progress_bar(percentage->GetDouble()), kGreen);
  line.add(" " + harmless(text_of(member(event, "currentStep"))));
  return true;
}

bool add_streamed_text(Line& line, const Value& event) {
  const Value* content = member(event, "content");
  if (content == nullptr || !content->IsString()) return false;
  line.add(" " + harmless(text_of(content)));
  return true;
}

bool add_finished_task(Line& line, const Value& event) {
  const Value* config = member(event, "taskConfig");
  if (config == nullptr || !config->IsObject()) return false;
  const std::string error = harmless(text_of(member(*config, "error")));
  line.add(" " + harmless(text_of(member(*config, "name"))) + " ");
  line.add(harmless(text_of(member(*config, "status"))), error.empty() ? kGreen : kRed);
  if (!error.empty()) line.add(" " + error, kRed);
  return true;
}

void add_essentials(Line& line, const Value& event) {
  const std::string_view type = text_of(member(event, "type"));
  const bool done = (type == "command-progress" && add_progress(line, event)) ||
                    (type == "streaming_output" && add_streamed_text(line, event)) ||
                    (type == "task-finished" && add_finished_task(line, event));
  if (!done) add_members(line, event, "type");
}

std::string clock_text(Micros time) {
  const std::time_t seconds = static_cast<std::time_t>(time / 1'000'000);
  std::tm local = {};
  localtime_r(&seconds, &local);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(time / 1000 % 1000));
  return text;
}

/// The length of the UTF-8 character at the start, 0 if there is none or it is a control character.
std::size_t printable_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t size = first >= 0xC2 && first < 0xE0   ? 2
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xF0 && first < 0xF5 ? 4
                                                           : 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // U+0080 to U+009F are control characters too, and some terminals obey them; U+202A to U+202E and U+2066 to
  // U+2069 turn the direction of what follows.
  const bool c1 = first == 0xC2 && byte(1) < 0xA0;
  const bool turns = first == 0xE2 && ((byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) ||
                                       (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
  return c1 || turns ? 0 : size;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t size = printable_character(text);
    if (size > 0) {
      out += text.substr(0, size);
    } else {
      out += c == '\n' || c == '\r' || c == '\t' ? " " : "·";
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string progress_bar(double percentage) {
  const double part = std::isfinite(percentage) ? std::clamp(percentage, 0.0, 100.0) : 0.0;
  const auto full = static_cast<std::size_t>(part / 100.0 * static_cast<double>(kBar) + 0.5);
  std::string bar = "[";
  for (std::size_t i = 0; i < kBar; ++i) bar += i < full ? "█" : "░";
  char text[16];
  std::snprintf(text, sizeof text, "] %5.1f%%", part);
  return bar + text;
}

std::string pretty_line(std::string_view topic, Micros time, std::string_view payload,
                        const PrettyStyle& style) {
  Line line(style);
  line.add(clock_text(time), kDim);
  line.add(" ");
  line.add(harmless(topic), kBold);
  rapidjson::Document event;
  event.Parse<rapidjson::kParseIterativeFlag>(payload.data(), payload.size());
  if (!event.HasParseError() && event.IsObject()) {
    add_essentials(line, event);
  } else {
    line.add(" " + harmless(payload));
  }
  return line.take();
}

}  // namespace trestle::cli
