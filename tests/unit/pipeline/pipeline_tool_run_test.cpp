#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "clients/pipeline/tool_run.h"

using namespace trestle::pipeline;
using namespace std::chrono_literals;

namespace {

/// Runs a shell script to its end, at most 10 s.
struct Run {
  explicit Run(const std::string& script, ToolRun::Listeners listeners = {}, std::size_t capture = 1 << 20) {
    auto started = ToolRun::start({{"/bin/sh", "-c", script}, "/tmp"}, std::move(listeners), capture);
    REQUIRE(started);
    tool = std::move(*started);
  }
  bool finish() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!tool->pump(50ms)) {
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }
  std::unique_ptr<ToolRun> tool;
};

}  // namespace

TEST_CASE("a tool's output, error and exit code come back") {
  Run run("echo out; echo err >&2; pwd; exit 3");
  REQUIRE(run.finish());
  CHECK(run.tool->output() == "out\n/tmp\n");
  CHECK(run.tool->error() == "err\n");
  CHECK(run.tool->exit_code() == 3);
}

TEST_CASE("listeners hear everything, the capture keeps its bound") {
  std::size_t heard = 0;
  ToolRun::Listeners listeners;
  listeners.output = [&](std::string_view chunk) { heard += chunk.size(); };
  Run run("head -c 5000000 /dev/zero | tr '\\0' 'x'; echo; echo the end", std::move(listeners), 1 << 16);
  REQUIRE(run.finish());
  CHECK(heard == 5'000'009);
  CHECK(run.tool->output().size() < (1 << 16) + 100);
  CHECK(run.tool->output().find("the end\n") != std::string::npos);
}

TEST_CASE("a tool has nothing to read and asks nobody") {
  Run run("cat; echo done");
  REQUIRE(run.finish());
  CHECK(run.tool->output() == "done\n");
}

TEST_CASE("a tool that is not there is an error with its name") {
  const auto started = ToolRun::start({{"/nowhere/7zz", "a"}, {}}, {});
  REQUIRE_FALSE(started);
  CHECK(started.error().message == "cannot start /nowhere/7zz: No such file or directory");
  const auto folder = ToolRun::start({{"/bin/true"}, "/nowhere"}, {});
  REQUIRE_FALSE(folder);
}

TEST_CASE("terminate ends the whole group") {
  Run run("sleep 60 & echo $!; wait");
  while (run.tool->output().empty()) run.tool->pump(50ms);
  const pid_t grandchild = std::stoi(run.tool->output());
  run.tool->terminate();
  REQUIRE(run.finish());
  CHECK_FALSE(run.tool->exit_code());
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid, name, state;
    // An orphan that nobody has reaped yet (a container without an init) is gone too.
    gone = !(stat >> pid >> name >> state) || state == "Z";
    if (!gone) std::this_thread::sleep_for(20ms);
  }
  CHECK(gone);
}

TEST_CASE("a tool that ignores SIGTERM is killed after its grace") {
  Run run("trap '' TERM; echo ready; while :; do sleep 0.1; done");
  while (run.tool->output().empty()) run.tool->pump(50ms);
  const auto asked = std::chrono::steady_clock::now();
  run.tool->terminate();
  REQUIRE(run.finish());
  CHECK_FALSE(run.tool->exit_code());
  CHECK(std::chrono::steady_clock::now() - asked >= 1900ms);
}

TEST_CASE("a tool that leaves a helper with its pipes open is done all the same") {
  Run run("sleep 30 & echo $!; exit 0");
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(run.finish());
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  ::kill(std::stoi(run.tool->output()), SIGKILL);
}

TEST_CASE("a command is shown as one would type it") {
  CHECK(shown({{"7z", "a", "--", "my file.7z", "it's", ""}, {}}) == R"(7z a -- 'my file.7z' 'it'\''s' '')");
}

TEST_CASE("tools are found on PATH, the first name that is there") {
  CHECK(find_tool({"no-such-tool-anywhere", "sh"}).value_or("").find("/sh") != std::string::npos);
  CHECK_FALSE(find_tool({"no-such-tool-anywhere"}));
}
