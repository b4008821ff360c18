#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>

#include "bridge/auth/process_list.h"
#include "clients/cli/arguments.h"
#include "clients/cli/pretty.h"
#include "clients/cli/program.h"
#include "clients/cli/usage_error.h"

namespace {

int explain(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  std::cerr << trestle::cli::usage_error(app, error) << std::flush;
  return static_cast<int>(trestle::cli::Exit::usage);
}

// A text may repeat an address with a token, or what somebody else's server said.
int fail(const CLI::App& app, trestle::cli::Exit code, const char* what) {
  auto text = trestle::cli::harmless(what);
  trestle::hide_tokens(text.data());
  std::cerr << trestle::cli::command_name(app) << ": " << text << std::endl;
  return static_cast<int>(code);
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
    return fail(program.app(), failure.code, failure.what());
  } catch (const std::exception& error) {
    return fail(program.app(), Exit::failed, error.what());
  }
}
