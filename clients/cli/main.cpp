#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "clients/cli/program.h"

int main(int argc, char** argv) {
  using trestle::cli::Exit;
  trestle::cli::Program program;
  try {
    program.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.app().exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
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
