#include <filesystem>

#include "clients/pipeline/program.h"
#include "clients/pipeline/worker.h"

namespace {

namespace fs = std::filesystem;
using namespace trestle;
using namespace trestle::pipeline;

struct Upload {
  std::string curl;
  std::string limit_rate;  ///< as curl takes it, for example 2M; empty: none
  std::string netrc;
};

std::vector<std::string> curl_arguments(const Task& task, const Upload& upload) {
  // A transfer that stands still for 30 s is given up; the queue tries again.
  std::vector<std::string> argv{upload.curl,      "--fail",    "--fail-early",      "--show-error",
                                "--progress-bar", "--globoff", "--connect-timeout", "10",
                                "--speed-limit",  "1",         "--speed-time",      "30"};
  // One line per file on standard output, so that the task's record says what the server answered.
  argv.insert(argv.end(),
              {"--write-out", "%{http_code} %{size_upload} bytes in %{time_total} s to %{url_effective}\\n"});
  if (!upload.limit_rate.empty()) argv.insert(argv.end(), {"--limit-rate", upload.limit_rate});
  if (!upload.netrc.empty()) argv.insert(argv.end(), {"--netrc-file", upload.netrc});
  for (const auto& file : task.files) {
    // The URL ends in '/': curl adds the file's name, escaped.
    argv.insert(argv.end(), {"--upload-file", file, task.destination + task.id + "/"});
  }
  return argv;
}

Outcome upload_files(Worker& worker, const Task& task, const Upload& upload) {
  Outcome outcome;
  std::vector<std::uint64_t> sizes;
  for (const auto& file : task.files) {
    std::error_code problem;
    sizes.push_back(fs::file_size(file, problem));
    if (problem) {
      outcome.error = file + ": " + problem.message();
      return outcome;
    }
  }
  StepPlan plan;
  plan.step = Step::uploading;
  plan.command = {curl_arguments(task, upload), {}};
  plan.read_error = read_uploads(std::move(sizes));
  const ToolOutput output = worker.run_step(task, std::move(plan));
  outcome.success = output.exit_code == 0;
  outcome.retry = true;  // networks come back
  if (!outcome.success) outcome.error = "curl " + output.last_message;
  outcome.upload = output;
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Uploads what the compression queue made to a WebDAV folder with curl.", "trestle-uploader"};
  BridgeOptions bridge;
  WorkerOptions options;
  Upload upload;
  add_bridge_options(app, bridge, "uploader-1");
  app.add_option("--queue", options.queue, "where trestle-queue listens")->capture_default_str();
  app.add_option("--limit-rate", upload.limit_rate, "at most so many bytes a second, for example 500k or 8M");
  app.add_option("--netrc", upload.netrc, "file with the server's user name and password (see man curl)")
      ->check(CLI::ExistingFile);
  app.footer(
      "Examples:\n"
      "  trestle-uploader\n"
      "  trestle-uploader --id uploader-2 --limit-rate 2M --netrc ~/.netrc\n"
      "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 could not start.\n");
  return run_program(app, argc, argv, [&] {
    upload.curl = need_tool({"curl"}, "curl");
    options.id = bridge.id;
    options.stage = Stage::upload;
    Producer producer(producer_options(bridge));
    Worker worker(options, producer, [&](Worker& self, const Task& task, const std::string&) {
      return upload_files(self, task, upload);
    });
    worker.run();
    return 0;
  });
}
