#include <algorithm>
#include <filesystem>

#include "clients/pipeline/program.h"
#include "clients/pipeline/worker.h"

namespace {

namespace fs = std::filesystem;
using namespace trestle;
using namespace trestle::pipeline;

struct Tools {
  std::string archiver, par2;
  int level = 5;
  int redundancy = 10;
};

/// A tool that was killed (memory, a reboot) may fare better next time; one that said no will say it again.
Outcome failed(const std::string& what, const ToolOutput& output) {
  Outcome outcome;
  outcome.retry = !output.exit_code && output.command != "" && output.error.rfind("cannot start", 0) != 0;
  outcome.error = what + " " + output.last_message;
  return outcome;
}

/// The archive, then its recovery files by name.
std::vector<std::string> made_files(const fs::path& folder, const std::string& archive) {
  std::vector<std::string> recovery;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".par2") recovery.push_back(entry.path().string());
  }
  std::sort(recovery.begin(), recovery.end());
  recovery.insert(recovery.begin(), (folder / archive).string());
  return recovery;
}

Outcome compress(Worker& worker, const Task& task, const std::string& folder, const Tools& tools) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) {
    Outcome outcome;
    outcome.error = "cannot make " + folder + ": " + problem.message();
    return outcome;
  }
  const std::string archive = task.name + ".7z";
  StepPlan pack;
  pack.step = Step::compression;
  // -bsp1: progress to standard output; -spd: * and ? in names are just characters.
  pack.command = {{tools.archiver, "a", "-bsp1", "-spd", "-y", "-mx=" + std::to_string(tools.level), "--",
                   archive, task.source},
                  folder};
  pack.read_output = read_with(seven_zip_percentage);
  const ToolOutput packed = worker.run_step(task, std::move(pack));
  if (packed.exit_code != 0) {
    Outcome outcome = failed("7z", packed);
    outcome.compress = packed;
    return outcome;
  }

  StepPlan protect;
  protect.step = Step::par_creation;
  protect.command = {
      {tools.par2, "create", "-r" + std::to_string(tools.redundancy), "--", archive + ".par2", archive},
      folder};
  protect.read_output = read_with(par2_percentage);
  const ToolOutput protection = worker.run_step(task, std::move(protect));
  Outcome outcome = protection.exit_code == 0 ? Outcome{} : failed("par2", protection);
  outcome.success = protection.exit_code == 0;
  outcome.compress = packed;
  outcome.protect = protection;
  if (outcome.success) outcome.files = made_files(folder, archive);
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Packs tasks of the compression queue with 7z and makes recovery files with par2.",
               "trestle-compressor"};
  BridgeOptions bridge;
  WorkerOptions options;
  Tools tools;
  add_bridge_options(app, bridge, "compressor-1");
  app.add_option("--queue", options.queue, "where trestle-queue listens")->capture_default_str();
  app.add_option("--level", tools.level, "7z compression level")
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  app.add_option("--redundancy", tools.redundancy, "recovery data, in percent of the archive")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.footer(
      "Examples:\n"
      "  trestle-compressor\n"
      "  trestle-compressor --id compressor-2 --level 9 --redundancy 20\n"
      "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 could not start.\n");
  return run_program(app, argc, argv, [&] {
    tools.archiver = need_tool({"7z", "7zz", "7za"}, "7zip");
    tools.par2 = need_tool({"par2"}, "par2");
    options.id = bridge.id;
    options.stage = Stage::compression;
    Producer producer(producer_options(bridge));
    Worker worker(options, producer, [&](Worker& self, const Task& task, const std::string& folder) {
      return compress(self, task, folder, tools);
    });
    worker.run();
    return 0;
  });
}
