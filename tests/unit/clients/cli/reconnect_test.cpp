#include "clients/cli/reconnect.h"

#include <doctest/doctest.h>

using namespace trestle::cli;
using std::chrono::milliseconds;

namespace {

Ended closed(int code, const std::string& reason = "") {
  Ended ended;
  ended.opened = true;
  ended.close_code = code;
  ended.reason = reason;
  return ended;
}

Ended failed_handshake(int http_status) {
  Ended ended;
  ended.http_status = http_status;
  return ended;
}

std::string verdict(const Ended& ended) {
  Reconnect reconnect([] { return 0.0; });
  const Next next = reconnect.after(ended);
  return next.again ? "again" : "exit " + std::to_string(static_cast<int>(next.code));
}

}  // namespace

TEST_CASE("close codes decide whether to come back") {
  CHECK(verdict(closed(1001)) == "again");
  CHECK(verdict(closed(1006)) == "again");
  CHECK(verdict(closed(1011)) == "again");
  CHECK(verdict(closed(4408, "cursor=1:5")) == "again");
  CHECK(verdict(closed(4429)) == "again");
  CHECK(verdict(closed(1009)) == "exit 1");
  CHECK(verdict(closed(4400)) == "exit 2");
  CHECK(verdict(closed(4401)) == "exit 4");
  CHECK(verdict(closed(4403)) == "exit 4");
  CHECK(verdict(closed(4409)) == "exit 4");
}

TEST_CASE("so does the answer to a failed handshake") {
  CHECK(verdict(failed_handshake(0)) == "again");
  CHECK(verdict(failed_handshake(429)) == "again");
  CHECK(verdict(failed_handshake(502)) == "again");
  CHECK(verdict(failed_handshake(503)) == "again");
  CHECK(verdict(failed_handshake(401)) == "exit 4");
  CHECK(verdict(failed_handshake(404)) == "exit 2");
  CHECK(verdict(failed_handshake(200)) == "exit 2");
  CHECK(verdict(failed_handshake(301)) == "exit 2");
  Reconnect reconnect([] { return 0.0; });
  reconnect.succeeded();
  CHECK(reconnect.after(failed_handshake(200)).again);
}

TEST_CASE("a certificate that was never good does not become good; one that was does again") {
  Ended ended;
  ended.distrust = "it is not for localhost";
  Reconnect reconnect([] { return 0.0; });
  const Next first = reconnect.after(ended);
  CHECK_FALSE(first.again);
  CHECK(first.code == Exit::failed);
  CHECK(first.message.find("it is not for localhost (--cacert") != std::string::npos);
  reconnect.succeeded();
  const Next later = reconnect.after(ended);
  CHECK(later.again);
  CHECK(later.message == first.message);
}

TEST_CASE("a final verdict says what to do, with the bridge's reason") {
  Reconnect reconnect([] { return 0.0; });
  const auto message = reconnect.after(closed(4401, "no token came in time")).message;
  CHECK(message.rfind("no valid token (no token came in time): give one with --token", 0) == 0);
}

TEST_CASE("back-off doubles up to a limit, and starts again after a success") {
  Reconnect reconnect([] { return 1.0; });
  std::vector<long> waits;
  for (int i = 0; i < 9; ++i) waits.push_back(static_cast<long>(reconnect.after(closed(1006)).wait.count()));
  CHECK(waits == std::vector<long>{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000});
  reconnect.succeeded();
  CHECK(reconnect.after(closed(1006)).wait == milliseconds(500));
}

TEST_CASE("back-off is never shorter than half") {
  Reconnect reconnect([] { return 0.0; });
  CHECK(reconnect.after(closed(1006)).wait == milliseconds(250));
  CHECK(reconnect.after(closed(1006)).wait == milliseconds(500));
}

TEST_CASE("too many: later") {
  Reconnect reconnect([] { return 0.0; });
  CHECK(reconnect.after(closed(4429)).wait == milliseconds(5'000));
}

TEST_CASE("a drain says when to come back, once") {
  Reconnect reconnect([] { return 0.5; });
  reconnect.drained(milliseconds(2'000), milliseconds(1'000));
  CHECK(reconnect.after(closed(1001)).wait == milliseconds(2'500));
  CHECK(reconnect.after(closed(1006)).wait == milliseconds(375));
}

TEST_CASE("too slow: with the cursor that the bridge names") {
  Reconnect reconnect([] { return 0.0; });
  CHECK(reconnect.after(closed(4408, "cursor=17:42")).cursor == "17:42");
  CHECK(reconnect.after(closed(4408, "")).cursor == "");
  CHECK(reconnect.after(closed(1001, "cursor=17:42")).cursor == "");
}
