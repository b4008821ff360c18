#include "clients/cli/arguments.h"

#include <doctest/doctest.h>

using namespace trestle::cli;

namespace {

struct Shown {
  std::vector<std::string> taken;
  std::vector<std::string> left;  // what the process list shows
};

Shown after(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "trestle");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  auto taken = take_arguments(static_cast<int>(argv.size()), argv.data());
  return {std::move(taken), std::vector<std::string>(argv.begin() + 1, argv.end())};
}

std::string left(const std::vector<std::string>& arguments) {
  std::string text;
  for (const auto& argument : after(arguments).left) text += (text.empty() ? "" : " ") + argument;
  return text;
}

}  // namespace

TEST_CASE("tokens are taken, and asterisks stay in their place") {
  CHECK(after({"tail", "--token", "abc", "x.>"}).taken ==
        std::vector<std::string>{"tail", "--token", "abc", "x.>"});
  CHECK(left({"tail", "--token", "abc", "x.>"}) == "tail --token *** x.>");
  CHECK(left({"tail", "--token=abc", "x.>"}) == "tail --token=*** x.>");
  CHECK(left({"tail", "--url", "ws://h/?token=abc"}) == "tail --url ws://h/?token=***");
  CHECK(left({"tail", "--url=ws://h/?a=1&token=abc&b=2#c"}) == "tail --url=ws://h/?a=1&token=***&b=2#c");
  CHECK(left({"tail", "--token", "--token=abc"}) == "tail --token ***********");
}

TEST_CASE("the rest stays as it is") {
  for (const char* argument : {"--token=", "--tokens", "token=abc", "ws://h/?mytoken=abc", "ws://h/?token="})
    CHECK(left({"tail", argument}) == std::string("tail ") + argument);
  CHECK(left({"tail", "--token"}) == "tail --token");
  CHECK(left({}).empty());
  CHECK(take_arguments(0, nullptr).empty());
}
