#pragma once
#include <string>

namespace trestle::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// GET with an optional bearer token; `ca_file` empty: the system's certificates. Takes at most ten seconds
/// and at most 64 MiB. Throws Failure if there is no answer.
HttpAnswer http_get(const std::string& url, const std::string& token, const std::string& ca_file);

}  // namespace trestle::cli
