#include "clients/cli/arguments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "bridge/auth/process_list.h"

namespace trestle::cli {
namespace {

constexpr std::string_view kOption = "--token";

void hide(char* text) { std::fill(text, text + std::strlen(text), '*'); }

// As the bytes stand, whatever the subcommand makes of them: to hide too much costs nothing.
void hide_argument(char* argument, std::string_view before) {
  const std::string_view text = argument;
  if (before == kOption) return hide(argument);
  if (text.substr(0, kOption.size()) == kOption && text.size() > kOption.size() &&
      text[kOption.size()] == '=')
    return hide(argument + kOption.size() + 1);
  hide_tokens(argument);
}

}  // namespace

std::vector<std::string> take_arguments(int argc, char** argv) {
  if (argc < 1) return {};  // not even a name
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    hide_argument(argv[i + 1], i == 0 ? std::string_view() : arguments[i - 1]);
  return arguments;
}

}  // namespace trestle::cli
