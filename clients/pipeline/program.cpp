#include "clients/pipeline/program.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "clients/pipeline/stop_signal.h"
#include "clients/pipeline/tool_run.h"

namespace trestle::pipeline {

void add_bridge_options(CLI::App& app, BridgeOptions& options, const std::string& default_id) {
  options.id = default_id;
  app.add_option("--id", options.id, "producer id, different for every process: letters, digits, - and _")
      ->capture_default_str();
  app.add_option("--events", options.bridge.events, "the bridge's event socket")->capture_default_str();
  app.add_option("--control", options.bridge.control, "the bridge's control socket")->capture_default_str();
  app.add_option("--curve-key", options.curve_key, "CURVE: our key pair, made by trestle keygen");
  app.add_option("--curve-server", options.curve_server, "CURVE: public key of the bridge, or its FILE.pub");
}

ProducerOptions producer_options(const BridgeOptions& options) {
  ProducerOptions producer;
  producer.id = options.id;
  producer.bridges = {options.bridge};
  if (!options.curve_server.empty())
    producer.bridges.front().server_key = public_key_of(options.curve_server);
  producer.key_file = options.curve_key;
  producer.when_full = WhenFull::drop_oldest;
  return producer;
}

std::string need_tool(const std::vector<std::string>& names, const std::string& debian_package) {
  if (const auto path = find_tool(names)) return *path;
  throw CannotStart(names.front() + " is not on PATH. On Debian: apt-get install " + debian_package);
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCannotStart;
  }
  catch_stop_signals();
  const auto log = spdlog::stderr_color_mt(app.get_name());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e %n %^%l%$ %v");
  spdlog::set_default_logger(log);
  try {
    return body();
  } catch (const CannotStart& error) {
    spdlog::error("{}", error.what());
    return kCannotStart;
  } catch (const std::invalid_argument& error) {
    spdlog::error("{}", error.what());
    return kCannotStart;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return kFailed;
  }
}

}  // namespace trestle::pipeline
