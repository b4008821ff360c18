#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Text that goes into, or comes out of, one line on a terminal.
namespace trestle {

/// The text in double quotes, shortened; control characters become `?`.
std::string in_quotes(std::string_view text);

/// The parts joined by ", ".
std::string joined(const std::vector<std::string>& parts);

/// Index of the first byte that is not UTF-8, or a control character other than tab and line ends; nothing if
/// all is well.
std::optional<std::size_t> find_bad_byte(std::string_view text);

/// True if the text is UTF-8 without any control character.
bool is_one_line(std::string_view text);

}  // namespace trestle
