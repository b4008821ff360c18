#include "clients/cli/topics.h"

#include "clients/cli/exit_code.h"
#include "proto/pattern.h"

namespace trestle::cli {

std::string joined_topics(const std::vector<std::string>& patterns) {
  std::string list;
  for (const std::string& pattern : patterns) {
    if (pattern.empty())
      throw Failure(Exit::usage, "a topic is empty (an unset variable?); > is all of them");
    // Not repeated in the error: the address that the bridge prints on its first start has a token in it.
    if (pattern.find("://") != std::string::npos)
      throw Failure(Exit::usage, "an address is not a topic: put --url before it");
    if (auto parsed = parse_patterns(pattern); !parsed) throw Failure(Exit::usage, parsed.error().message);
    list += (list.empty() ? "" : ",") + pattern;
  }
  return list;
}

}  // namespace trestle::cli
