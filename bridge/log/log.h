#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "bridge/config/settings.h"

namespace trestle::log {

/// One fact of a log line: a name and a text or a number.
struct Field {
  Field(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  template <class Number, class = std::enable_if_t<std::is_integral_v<Number>>>
  Field(std::string_view field_name, Number number)
      : name(field_name), value(std::to_string(number)), is_number(true) {}

  std::string_view name;
  std::string value;
  bool is_number = false;
};
using Fields = std::initializer_list<Field>;

/// Sets level and format; lines go to standard error. Call once, before threads start.
///
///     text:  2026-11-21T20:00:00.000Z info  listening address=127.0.0.1 port=3001
///     json:
///     {"time":"2026-11-21T20:00:00.000Z","level":"info","msg":"listening","address":"127.0.0.1","port":3001}
void start(const LogSettings& settings);

/// Any thread. `message` says what happened, the same words each time; what differs goes into fields.
/// Whatever looks like a token (token=…, bearer …) is replaced by ***, in every value.
void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

/// What a stranger sent, for a field: its first 255 bytes.
std::string_view excerpt(std::string_view text);

/// The line's text after time and level, as start() formats it; for tests.
std::string format_line(LogSettings::Format format, std::string_view message, Fields fields);
/// `text` without tokens.
std::string without_tokens(std::string_view text);

}  // namespace trestle::log
