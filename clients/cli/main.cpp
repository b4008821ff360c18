#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <sstream>

#include "bridge/auth/process_list.h"
#include "clients/cli/arguments.h"
#include "clients/cli/program.h"

namespace {

// What was not expected is repeated, and may be an address with a token.
int explain(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream complaint;
  const int code = app.exit(error, std::cout, complaint);
  auto text = complaint.str();
  trestle::hide_tokens(text.data());
  std::cerr << text << std::flush;
  return code == 0 ? 0 : static_cast<int>(trestle::cli::Exit::usage);
}

}  // namespace

int main(int argc, char** argv) {
  using trestle::cli::Exit;
  auto arguments = trestle::cli::take_arguments(argc, argv);
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 asks for
  trestle::cli::Program program;
  try {
    program.app().parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return explain(program.app(), error);
  }
  trestle::hide_client_variables();
  try {
    return static_cast<int>(program.run());
  } catch (const trestle::cli::Failure& failure) {
    std::cerr << "trestle: " << failure.what() << std::endl;
    return static_cast<int>(failure.code);
  } catch (const std::exception& error) {
    std::cerr << "trestle: " << error.what() << std::endl;
    return static_cast<int>(Exit::failed);
  }
}
