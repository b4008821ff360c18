#pragma once
#include <string_view>

namespace trestle {

/// True for well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
/// NUL is a character like any other. Cost: eight bytes a step while they are ASCII.
bool is_utf8(std::string_view bytes);

}  // namespace trestle
