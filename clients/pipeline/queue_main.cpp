#include <cstdio>
#include <filesystem>

#include "clients/pipeline/ctl.h"
#include "clients/pipeline/json.h"
#include "clients/pipeline/program.h"
#include "clients/pipeline/queue_server.h"

namespace {

using namespace std::chrono_literals;
using namespace trestle;
using namespace trestle::pipeline;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

/// Prints the answer's text, or the error; the exit code says which.
int tell(const Result<std::string>& answer) {
  if (answer) {
    print(*answer);
    return 0;
  }
  std::fprintf(stderr, "trestle-queue: %s\n", answer.error().message.c_str());
  return kFailed;
}

Result<std::string> added_ids(const Result<std::string>& answer) {
  if (!answer) return answer.error();
  rapidjson::Document document;
  document.Parse(answer->data(), answer->size());
  std::string lines;
  if (const auto* ids = member(document, "ids"); ids != nullptr && ids->IsArray()) {
    for (const auto& id : ids->GetArray()) lines += std::string(view(id)) + "\n";
  }
  return lines;
}

struct Control {
  std::string queue = kDefaultQueueAddress;
  std::vector<std::string> files;
  std::string stage;
  std::size_t count = 1;
  int timeout = 3600;
  bool json = false;

  Result<std::string> ask(ToQueue request) const { return ask_queue(queue, request, 5s); }

  int add() const {
    ToQueue request;
    request.kind = ToQueue::Kind::add;
    for (const auto& file : files)
      request.sources.push_back(std::filesystem::absolute(file).lexically_normal().string());
    return tell(added_ids(ask(request)));
  }

  int change(ToQueue::Kind kind) const {
    const auto parsed = parse_stage(stage);
    if (!parsed) return tell(parsed.error());
    ToQueue request;
    request.kind = kind;
    request.stage = *parsed;
    request.count = count;
    const auto answer = ask(request);
    return tell(answer ? Result<std::string>(std::string()) : answer);
  }

  int list() const {
    const auto answer = ask(ToQueue{});
    if (!answer) return tell(answer);
    print(json ? *answer + "\n" : list_for_people(*answer));
    return 0;
  }

  int drain() const {
    const auto failed = drain_queue(queue, std::chrono::seconds(timeout));
    if (!failed) return tell(failed.error());
    if (*failed == 0) return 0;
    return tell(Error{std::to_string(*failed) + " tasks have failed since the queue started"});
  }
};

int serve(const BridgeOptions& bridge, QueueServerOptions options) {
  if (options.destination.find('@') != std::string::npos) {
    throw CannotStart(
        "--upload-to must not carry a password, events tell it; give trestle-uploader a --netrc file");
  }
  if (options.destination.back() != '/') options.destination += '/';
  options.work_folder = std::filesystem::absolute(options.work_folder).lexically_normal().string();
  std::error_code problem;
  std::filesystem::create_directories(options.work_folder, problem);
  if (problem) throw CannotStart("--work " + options.work_folder + ": " + problem.message());
  Producer producer(producer_options(bridge));
  QueueServer server(options, producer);
  server.run();
  return 0;
}

void add_serve_options(CLI::App& app, QueueServerOptions& options) {
  app.add_option("--listen", options.listen, "ZeroMQ address for workers and ctl")->capture_default_str();
  app.add_flag("--insecure", options.insecure, "allow an address that other machines can reach");
  app.add_option("--work", options.work_folder, "folder for archives in the making, shared with the workers")
      ->required();
  app.add_flag("--keep-work", options.keep_work, "leave a task's folder there when it has ended");
  app.add_option("--upload-to", options.destination, "URL of the WebDAV folder")->required();
  app.add_option("--compression-workers", options.compression_workers, "compressions at once")
      ->capture_default_str();
  app.add_option("--upload-workers", options.upload_workers, "uploads at once")->capture_default_str();
  app.add_option("--max-attempts", options.queues.max_attempts,
                 "attempts at each of the two before a task fails")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option_function<int>(
         "--lease-ms", [&options](const int& ms) { options.queues.lease = std::chrono::milliseconds(ms); },
         "how long a worker may be silent before its task goes to another; default 5000")
      ->check(CLI::Range(1500, 3600 * 1000));
}

void add_control_commands(CLI::App& ctl, Control& control) {
  ctl.add_option("--queue", control.queue, "where trestle-queue listens")->capture_default_str();
  ctl.require_subcommand(1);
  ctl.fallthrough();
  auto* add = ctl.add_subcommand("add", "queue files or folders; prints the tasks' ids");
  add->add_option("FILE", control.files)->required();
  for (const auto* name : {"pause", "resume"}) {
    const bool pause = std::string(name) == "pause";
    ctl.add_subcommand(name, pause ? "start no more tasks" : "start tasks again")
        ->add_option("QUEUE", control.stage, "compression or upload")
        ->required();
  }
  auto* workers = ctl.add_subcommand("workers", "how many tasks of a queue may run at once");
  workers->add_option("QUEUE", control.stage, "compression or upload")->required();
  workers->add_option("COUNT", control.count)->required();
  auto* list = ctl.add_subcommand("list", "show the tasks");
  list->add_flag("--json", control.json, "as the queue says it");
  auto* drain = ctl.add_subcommand("drain", "wait until every task has ended; exit code 1 if any failed");
  drain->add_option("--timeout", control.timeout, "seconds")->capture_default_str();
}

int run_control(const CLI::App& ctl, const Control& control) {
  if (ctl.got_subcommand("add")) return control.add();
  if (ctl.got_subcommand("pause")) return control.change(ToQueue::Kind::pause);
  if (ctl.got_subcommand("resume")) return control.change(ToQueue::Kind::resume);
  if (ctl.got_subcommand("workers")) return control.change(ToQueue::Kind::workers);
  if (ctl.got_subcommand("drain")) return control.drain();
  return control.list();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Owns the compression and the upload queue: hands tasks to workers and publishes queue-update and "
      "task-finished. Tasks are kept in memory only.",
      "trestle-queue"};
  app.require_subcommand(1);
  auto* serve_command = app.add_subcommand("serve", "run the queue");
  auto* ctl = app.add_subcommand("ctl", "talk to a running queue");
  BridgeOptions bridge;
  QueueServerOptions options;
  Control control;
  add_bridge_options(*serve_command, bridge, "queue");
  add_serve_options(*serve_command, options);
  add_control_commands(*ctl, control);
  app.footer(
      "Examples:\n"
      "  trestle-queue serve --work /var/tmp/pipeline --upload-to http://localhost:8081/upload/\n"
      "  trestle-queue ctl add holiday.mov photos/\n"
      "  trestle-queue ctl pause upload\n"
      "  trestle-queue ctl list\n"
      "  trestle-queue ctl drain --timeout 600\n"
      "Exit codes: 0 done or stopped by SIGTERM or SIGINT, 1 failed, 2 could not start.\n");
  return run_program(app, argc, argv, [&] {
    return serve_command->parsed() ? serve(bridge, options) : run_control(*ctl, control);
  });
}
