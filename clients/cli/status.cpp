#include "clients/cli/status.h"

#include <chrono>

#include "clients/cli/advice.h"
#include "clients/cli/http_get.h"
#include "clients/cli/output.h"
#include "clients/cli/target.h"

namespace trestle::cli {
namespace {

Micros now_micros() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

void check(const HttpAnswer& answer, const std::string& url) {
  switch (answer.status) {
    case 200: return;
    case 401: throw Failure(Exit::refused, std::string("no valid token: ") + kTokenAdvice);
    case 403: throw Failure(Exit::refused, "the token does not allow to see the status");
    case 404: throw Failure(Exit::failed, url + " answered HTTP 404: " + kNoTrestle);
    default: throw Failure(Exit::failed, url + " answered HTTP " + std::to_string(answer.status));
  }
}

}  // namespace

Exit run_status(const StatusOptions& options) {
  auto target = parse_target(options.url);
  if (!target) throw Failure(Exit::usage, target.error().message);
  const std::string url = http_url(*target, "api/status");
  const HttpAnswer answer =
      http_get(url, options.token.empty() ? target->token : options.token, options.ca_file);
  check(answer, url);
  const auto text = status_text(answer.body, now_micros());
  if (!text) throw Failure(Exit::failed, url + ": " + text.error().message + ": " + kNoTrestle);
  const StopSignal stop;
  Output output(stop);
  output.add(options.json ? answer.body + "\n" : *text);
  output.flush();
  return Exit::ok;
}

}  // namespace trestle::cli
