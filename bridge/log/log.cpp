#include "bridge/log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "proto/json_text.h"

namespace trestle::log {
namespace {

constexpr std::array<std::string_view, 3> kBeforeTokens{"token=", "bearer ", "bearer."};
constexpr std::string_view kEndOfToken = " \t\r\n&\"',;";

LogSettings::Format format = LogSettings::Format::text;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::size_t find_ignoring_case(std::string_view text, std::string_view wanted, std::size_t from) {
  const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), wanted.begin(),
                                 wanted.end(), [](char a, char b) { return lower(a) == b; });
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

bool needs_quotes(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](unsigned char c) {
           return c <= ' ' || c == '"' || c == '=' || c == 0x7f;
         });
}

void append_json_field(std::string& line, const Field& field) {
  line += ',';
  append_json_string(line, field.name);
  line += ':';
  if (field.is_number) {
    line += field.value;
  } else {
    append_json_string(line, without_tokens(field.value));
  }
}

void append_text_field(std::string& line, const Field& field) {
  const auto value = without_tokens(field.value);
  line.append(1, ' ').append(field.name).append(1, '=');
  if (needs_quotes(value)) {
    append_json_string(line, value);
  } else {
    line += value;
  }
}

void write(spdlog::level::level_enum level, std::string_view message, Fields fields) {
  if (!spdlog::should_log(level)) return;
  spdlog::log(level, "{}", format_line(format, message, fields));
}

spdlog::level::level_enum to_spdlog(LogSettings::Level level) {
  switch (level) {
    case LogSettings::Level::debug: return spdlog::level::debug;
    case LogSettings::Level::info: return spdlog::level::info;
    case LogSettings::Level::warning: return spdlog::level::warn;
    case LogSettings::Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void start(const LogSettings& settings) {
  format = settings.format;
  auto logger = spdlog::stderr_logger_mt("trestled");
  logger->set_level(to_spdlog(settings.level));
  const bool json = format == LogSettings::Format::json;
  logger->set_pattern(
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void debug(std::string_view message, Fields fields) { write(spdlog::level::debug, message, fields); }
void info(std::string_view message, Fields fields) { write(spdlog::level::info, message, fields); }
void warning(std::string_view message, Fields fields) { write(spdlog::level::warn, message, fields); }
void error(std::string_view message, Fields fields) { write(spdlog::level::err, message, fields); }

std::string_view excerpt(std::string_view text) {
  constexpr std::size_t kLongest = 255;
  return text.substr(0, kLongest);
}

std::string format_line(LogSettings::Format line_format, std::string_view message, Fields fields) {
  std::string line;
  if (line_format == LogSettings::Format::json) {
    line = "\"msg\":";
    append_json_string(line, message);
    for (const auto& field : fields) append_json_field(line, field);
  } else {
    line = message;
    for (const auto& field : fields) append_text_field(line, field);
  }
  return line;
}

std::string without_tokens(std::string_view text) {
  std::string out(text);
  for (const auto before : kBeforeTokens) {
    for (auto at = find_ignoring_case(out, before, 0); at != std::string::npos;
         at = find_ignoring_case(out, before, at)) {
      at = std::min(out.find_first_not_of(' ', at + before.size()), out.size());
      const auto end = std::min(out.find_first_of(kEndOfToken, at), out.size());
      out.replace(at, end - at, "***");
    }
  }
  return out;
}

}  // namespace trestle::log
