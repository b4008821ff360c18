#include "clients/cli/program.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>

#include "clients/cli/completion.h"

using namespace trestle::cli;

namespace {

/// What a shell prints, trailing line end removed.
std::string shell(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), got);
  REQUIRE(pclose(pipe) == 0);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string complete(const std::string& words, int word) {
  Program program;
  char path[] = "/tmp/trestle-completion-XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0);
  std::FILE* file = fdopen(fd, "w");
  std::fputs(completion_script(program.app(), "bash").c_str(), file);
  std::fclose(file);
  const std::string out =
      shell("bash -c 'source " + std::string(path) + "; COMP_WORDS=(" + words +
            "); COMP_CWORD=" + std::to_string(word) + "; _trestle; echo \"${COMPREPLY[@]}\"'");
  std::remove(path);
  return out;
}

std::string parsed(std::vector<std::string> arguments) {
  Program program;
  std::reverse(arguments.begin(), arguments.end());
  try {
    program.app().parse(arguments);
  } catch (const CLI::ParseError& error) {
    return error.get_name();
  }
  return "ok";
}

}  // namespace

TEST_CASE("bash completes subcommands and options from the program's own tree") {
  CHECK(complete("trestle t", 1) == "tail token");
  CHECK(complete("trestle token ''", 2).find("create list revoke") != std::string::npos);
  CHECK(complete("trestle token create --s", 3) == "--scope");
  CHECK(complete("trestle pub --no", 2) == "--no-ack");
  CHECK(complete("trestle pub --id tail --no", 4) == "--no-ack");
}

TEST_CASE("scripts for the other shells name every subcommand") {
  Program program;
  for (const char* name : {"zsh", "fish"}) {
    const std::string script = completion_script(program.app(), name);
    for (const CLI::App* sub : program.app().get_subcommands(nullptr)) {
      CHECK(script.find(sub->get_name()) != std::string::npos);
    }
    CHECK(script.find("no-ack") != std::string::npos);
  }
  CHECK(completion_script(program.app(), "csh").empty());
}

TEST_CASE("the command line is understood") {
  CHECK(parsed({"pub", R"({"type":"a","list":[1,2]})"}) == "ok");
  CHECK(parsed({"pub", "--events", "tcp://a:1", R"({"type":"a"})", "--control", "tcp://a:2"}) == "ok");
  CHECK(parsed({"pub", "-"}) == "ok");
  CHECK(parsed({"pub", "--timeout", "2s"}) == "ok");
  CHECK(parsed({"pub", "--timeout", "2"}) == "ValidationError");
  CHECK(parsed({"tail", "a.*", "b.>", "--count", "3", "--format", "ndjson"}) == "ok");
  CHECK(parsed({"tail", "--format", "xml"}) == "ValidationError");
  CHECK(parsed({"token", "create"}) == "RequiredError");
  CHECK(parsed({"token", "create", "--name", "a", "--scope", "read", "--scope", "admin", "--expires",
                "30d"}) == "ok");
  CHECK(parsed({}) == "RequiredError");
  CHECK(parsed({"nonsense"}) != "ok");
}

TEST_CASE("what names no token, or one that can't be written, is wrong usage") {
  for (const char* which : {"--name", "--jti", "--subject"}) {
    CHECK(parsed({"token", "revoke", which, "a"}) == "ok");
    CHECK(parsed({"token", "revoke", which, ""}) == "ValidationError");
    CHECK(parsed({"token", "revoke", which, "\xff"}) == "ValidationError");
  }
  CHECK(parsed({"token", "create", "--name", ""}) == "ValidationError");
  CHECK(parsed({"token", "revoke", "--subject", "a", "--issued-before", "2027-01-01T00:00:00Z"}) == "ok");
  CHECK(parsed({"token", "revoke", "--subject", "a", "--issued-before", ""}) == "ValidationError");
  CHECK(parsed({"token", "revoke", "--jti", "a", "--issued-before", "2027-01-01T00:00:00Z"}) ==
        "RequiresError");
}

TEST_CASE("help has examples and exit codes everywhere") {
  Program program;
  for (const CLI::App* sub : program.app().get_subcommands(nullptr)) {
    CAPTURE(sub->get_name());
    CHECK(sub->help().find("Examples:\n") != std::string::npos);
    if (sub->get_name() != "completion") CHECK(sub->help().find("Exit codes:") != std::string::npos);
  }
}
