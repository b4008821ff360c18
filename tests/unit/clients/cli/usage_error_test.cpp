#include "clients/cli/usage_error.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "clients/cli/program.h"

using namespace trestle::cli;

namespace {

/// The first line of the complaint, "" for none.
std::string complaint(std::vector<std::string> arguments) {
  Program program;
  std::reverse(arguments.begin(), arguments.end());
  try {
    program.app().parse(arguments);
  } catch (const CLI::ParseError& error) {
    const auto text = usage_error(program.app(), error);
    CHECK(text.find(" --help for more information.\n") != std::string::npos);
    return text.substr(0, text.find('\n'));
  }
  return "";
}

}  // namespace

TEST_CASE("what is no subcommand is named, with those that there are") {
  const std::string all = "; there are: pub, tail, status, bench, bus, token, keygen, completion";
  CHECK(complaint({"foo"}) == "trestle: there is no subcommand \"foo\"" + all);
  CHECK(complaint({"--", "foo"}) == complaint({"foo"}));
  CHECK(complaint({"foo", "tail"}) == "trestle: there is no subcommand \"foo\"" + all);
  CHECK(complaint({"tial"}) == "trestle: there is no subcommand \"tial\" (did you mean tail?)" + all);
  CHECK(complaint({}) == "trestle: a subcommand is missing" + all);
  CHECK(complaint({"token"}) == "trestle token: a subcommand is missing; there are: create, list, revoke");
  CHECK(complaint({"completion", "csh"}) ==
        "trestle completion: there is no subcommand \"csh\" (did you mean zsh?); there are: bash, zsh, fish");
}

TEST_CASE("every complaint begins with the subcommand") {
  CHECK(complaint({"tail", "--tokne", "x"}) ==
        "trestle tail: there is no option --tokne (did you mean --token?)");
  CHECK(complaint({"token", "create", "--nmae", "x"}) ==
        "trestle token create: there is no option --nmae (did you mean --name?)");
  CHECK(complaint({"token", "create"}) == "trestle token create: --name is required");
  CHECK(complaint({"--url", "ws://a/", "tail"}) == "trestle: there is no option --url before the subcommand");
  CHECK(complaint({"status", "x"}) ==
        "trestle status: more arguments than it takes; the value of an option stands behind its name");
  CHECK(complaint({"tail", "--format", "xml"}) ==
        "trestle tail: --format: \"xml\" is none of: pretty, ndjson");
}

TEST_CASE("numbers have a range") {
  for (const char* wrong : {"0", "-1", "x", "", "1000000001", "18446744073709551616", "1.5"}) {
    CAPTURE(wrong);
    CHECK(complaint({"tail", "--count", wrong}) ==
          "trestle tail: --count: \"" + std::string(wrong) +
              "\" is not a whole number from 1 to 1000000000, in decimal without leading zeros");
  }
  CHECK(complaint({"tail", "--count", "1000000000"}).empty());
  CHECK(complaint({"bench", "--rate", "0"}).empty());
}

TEST_CASE("no complaint repeats what may be a token") {
  const std::string token = "SECRETSECRETSECRETSECRETSECRETSECRETSECRET1";
  using Arguments = std::vector<std::string>;
  const std::vector<Arguments> lines = {{"tail", "--tokne", token},
                                        {"tail", "--tokne=" + token},
                                        {"tail", "-t", token},
                                        {"tail", "-t" + token},
                                        {"tail", "--" + token},
                                        {"tail", "--token", token, "--token", token},
                                        {"tail", "--meta=" + token},
                                        {"status", token},
                                        {"status", "--token", token, "x"},
                                        {"status", "--token=" + token, "x"},
                                        {"status", "--", token},
                                        {"--token", token, "tail"},
                                        {"--token=" + token, "tail"},
                                        {token},
                                        {token, "tail"},
                                        {"pub", "--token", token, "{}", token},
                                        {"keygen", "a", token},
                                        {"token", token},
                                        {"--help=" + token},
                                        {"completion", "bash", token}};
  for (const auto& line : lines) {
    const auto text = complaint(line);
    CAPTURE(text);
    CHECK_FALSE(text.empty());
    CHECK(text.find("SECRET") == std::string::npos);
  }
}

TEST_CASE("help names kinds of values, not the library's types") {
  Program program;
  for (const CLI::App* sub : program.app().get_subcommands(nullptr)) {
    const auto help = sub->help();
    CAPTURE(help);
    for (const char* raw : {"ENUM", "UINT", "INT in", "TEXT:", "->"})
      CHECK(help.find(raw) == std::string::npos);
  }
}
