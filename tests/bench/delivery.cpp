// The figures of delivery: each measurement starts its own trestled, on free ports, in a temporary folder.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <stdexcept>

#include "tests/bench/measurements.h"

int main(int argc, char** argv) {
  using namespace trestle::bench;
  const std::vector<std::pair<std::string, void (*)(const Run&)>> all = {{"ingest", measure_ingest},
                                                                         {"latency", measure_latency},
                                                                         {"resume", measure_resume},
                                                                         {"restart", measure_restart},
                                                                         {"publish", measure_publish}};
  std::vector<std::string> names;
  for (const auto& [name, measure] : all) names.push_back(name);
  Run run;
  run.trestled = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "trestled";
  std::vector<std::string> wanted;
  CLI::App app{"How fast events are taken in, kept, delivered and given back.", "trestle-delivery"};
  app.add_option("measurement", wanted, "which; all if none is named")->check(CLI::IsMember(names));
  app.add_option("--trestled", run.trestled, "the program to measure; the one beside this");
  app.add_option("--repeat", run.repeat, "times each figure is taken; the median is printed")
      ->check(CLI::Range(1, 100));
  app.add_option("--scale", run.scale,
                 "of the numbers of events in ingest and restart; less for a quick look")
      ->check(CLI::Range(0.01, 10.0));
  CLI11_PARSE(app, argc, argv);
  if (wanted.empty()) wanted = names;
  try {
    for (const auto& [name, measure] : all) {
      if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) measure(run);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "trestle-delivery: " << error.what() << "\n";
    return 1;
  }
}
