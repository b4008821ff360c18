#include "bridge/auth/process_list.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "proto/wipe.h"

namespace trestle {

void hide_tokens(char* text) {
  constexpr std::string_view kName = "token=";
  const std::string_view all = text;
  for (auto at = all.find(kName); at != std::string_view::npos; at = all.find(kName, at + 1)) {
    if (at == 0 || (text[at - 1] != '?' && text[at - 1] != '&')) continue;
    const auto begin = at + kName.size();
    const auto end = std::min(all.find_first_of("&# \t\r\n", begin), all.size());
    std::fill(text + begin, text + end, '*');
  }
}

void wipe_variable(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return;
  wipe(value, std::strlen(value));
  ::unsetenv(name);
}

void hide_client_variables() {
  wipe_variable("TRESTLE_TOKEN");
  if (char* url = std::getenv("TRESTLE_URL")) hide_tokens(url);
}

}  // namespace trestle
