#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "proto/types.h"

namespace trestle::cli {

struct PrettyStyle {
  bool colour = false;
  std::size_t width = 0;  ///< columns; 0: as long as it gets
};

/// One line for a person: time, topic, and the essentials: a progress bar, a piece of streamed text, or the
/// members that fit. Events come from anybody, so control characters never reach the terminal.
std::string pretty_line(std::string_view topic, Micros time, std::string_view payload,
                        const PrettyStyle& style);

/// Text without control characters: they, and bytes that are not UTF-8, become `·`; line ends and tabs become
/// a space.
std::string harmless(std::string_view text);

/// `[████████░░░░░░░░]  45.7%`
std::string progress_bar(double percentage);

}  // namespace trestle::cli
