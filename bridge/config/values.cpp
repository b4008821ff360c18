#include "bridge/config/values.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "bridge/config/nearest.h"
#include "bridge/config/text.h"

namespace trestle {
namespace {

constexpr std::size_t kLongestPointer = 255;
constexpr std::uint64_t kKi = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Nothing if the digits are none, too many, or start with a zero that means octal to some.
std::optional<std::uint64_t> decimal(std::string_view digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::uint64_t number = 0;
  const auto end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, number).ec != std::errc{}) return std::nullopt;
  return number;
}

std::vector<std::string> unit_names(const Scale& scale) {
  std::vector<std::string> names;
  for (const auto& unit : scale.units) names.push_back(unit.name);
  return names;
}

Error no_quantity(const Scale& scale, std::string_view text, const std::string& hint) {
  return {in_quotes(text) + " is not a " + scale.noun + ": write a whole number and one of " +
          joined(unit_names(scale)) + hint};
}

std::string example_of(const Scale& scale) { return ", for example \"30" + scale.usual_unit + "\""; }

Error unknown_unit(const Scale& scale, std::string_view text, std::string_view digits,
                   std::string_view unit) {
  if (unit.empty()) {
    return {in_quotes(text) + " has no unit: write " + in_quotes(std::string(text) + scale.usual_unit) +
            ", or with another of " + joined(unit_names(scale))};
  }
  const auto meant = nearest(unit, unit_names(scale));
  const auto hint = " (did you mean " + in_quotes(std::string(digits) + meant) + "?)";
  return no_quantity(scale, text, meant.empty() ? example_of(scale) : hint);
}

Error out_of_range(const Scale& scale, std::string_view text, Range range) {
  return {in_quotes(text) + " is out of range: " + print_quantity(scale, range.least) + " to " +
          print_quantity(scale, range.most)};
}

}  // namespace

const Scale& durations() {
  static const Scale scale{
      "duration", "s", {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
  return scale;
}

const Scale& sizes() {
  static const Scale scale{"size",
                           "KiB",
                           {{"GiB", kKi * kKi * kKi},
                            {"MiB", kKi * kKi},
                            {"KiB", kKi},
                            {"GB", 1'000'000'000},
                            {"MB", 1'000'000},
                            {"KB", 1000},
                            {"B", 1}}};
  return scale;
}

Result<std::uint64_t> parse_quantity(const Scale& scale, std::string_view text, Range range) {
  const auto split = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  const auto digits = text.substr(0, static_cast<std::size_t>(split));
  const auto name = text.substr(static_cast<std::size_t>(split));
  const auto number = decimal(digits);
  if (!number) return no_quantity(scale, text, example_of(scale));
  const auto unit = std::find_if(scale.units.begin(), scale.units.end(),
                                 [&](const Scale::Unit& known) { return known.name == name; });
  const bool bare_zero = *number == 0 && name.empty();
  if (unit == scale.units.end() && !bare_zero) return unknown_unit(scale, text, digits, name);
  const std::uint64_t factor = bare_zero ? 1 : unit->factor;
  if (*number > range.most / factor || *number * factor < range.least)
    return out_of_range(scale, text, range);
  return *number * factor;
}

std::string print_quantity(const Scale& scale, std::uint64_t value) {
  if (value == 0) return "0";
  const auto unit = std::find_if(scale.units.begin(), scale.units.end(),
                                 [&](const Scale::Unit& known) { return value % known.factor == 0; });
  return std::to_string(value / unit->factor) + unit->name;
}

Result<std::uint64_t> parse_count(std::string_view text, Range range) {
  const auto number = decimal(text);
  if (!number || *number < range.least || *number > range.most) {
    return Error{in_quotes(text) + " is not a whole number from " + std::to_string(range.least) + " to " +
                 std::to_string(range.most) + ", in decimal without leading zeros"};
  }
  return *number;
}

Result<bool> parse_boolean(std::string_view text) {
  std::string word(text);
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "no" || word == "off") return false;
  return Error{in_quotes(text) + " is neither true nor false"};
}

Result<std::string> parse_pointer(std::string_view text) {
  const Error wrong{in_quotes(text) + " is not a JSON pointer to a member, such as \"/taskConfig/id\""};
  if (text.size() < 2 || text.front() != '/' || text.size() > kLongestPointer) return wrong;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next != '0' && next != '1') return Error{wrong.message + ": write ~ as ~0 and a / in a name as ~1"};
  }
  return std::string(text);
}

}  // namespace trestle
