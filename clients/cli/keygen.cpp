#include "clients/cli/keygen.h"

#include <sys/stat.h>
#include <zmq.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "bridge/auth/producer_list.h"
#include "bridge/store/private_file.h"
#include "proto/curve_key.h"

namespace trestle::cli {
namespace {

namespace fs = std::filesystem;

CurveKeys new_pair() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw Failure(Exit::failed, "this machine's libzmq has no CURVE; on Debian install libzmq5");
  }
  return {public_key.data(), secret_key.data()};
}

std::string quoted_list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "\"" : ", \"") + item + "\"";
  return "[" + text + "]";
}

std::string entry(const std::string& name, const std::string& key, const KeygenOptions& options) {
  std::string text = "  - name: \"" + name + "\"\n    key: \"" + key + "\"\n";
  if (!options.ids.empty()) text += "    ids: " + quoted_list(options.ids) + "\n";
  if (!options.topics.empty()) text += "    topics: " + quoted_list(options.topics) + "\n";
  return text;
}

// What the bridge would say of the entry, before anything is written.
void check(const std::string& lines) {
  if (const auto list = ProducerList::parse("producers:\n" + lines, "the entry"); !list) {
    throw Failure(Exit::usage, list.error().message);
  }
}

void write(const fs::path& path, const std::string& text) {
  if (const auto written = write_private_file(path, text); !written) {
    throw Failure(Exit::failed, written.error().message);
  }
}

std::string where_they_go(const std::string& file) {
  return "trestle keygen: made " + file + " and " + file +
         ".pub\n"
         "  " +
         file +
         ", the key pair, is secret and stays with its holder:\n"
         "    a producer    --curve-key of trestle pub, key_file of the C++ library\n"
         "    a bridge      ingest.curve.secret_key_file\n"
         "    a bus         --curve-key of trestle bus\n"
         "  " +
         file +
         ".pub, the public key alone, goes to whoever connects to its holder:\n"
         "    to a bridge   --curve-server of trestle pub, server_key of the C++ library\n"
         "    to a bus      --curve-bus of trestle pub; its key into ingest.curve.server_keys of bridges\n"
         "  These lines let its holder in: a producer under producers: in the bridge's\n"
         "  ingest.curve.producers_file, or on the lists of a bus (--curve-producers, --curve-bridges):\n";
}

}  // namespace

Exit run_keygen(const KeygenOptions& options) {
  const fs::path file = options.file;
  const fs::path shared = options.file + ".pub";
  for (const auto& path : {file, shared}) {
    std::error_code ignored;
    if (options.force || !fs::exists(fs::symlink_status(path, ignored))) continue;
    throw Failure(Exit::usage, path.string() +
                                   " is there already; --force replaces it, and who uses it must "
                                   "then be given the new key");
  }
  const auto keys = new_pair();
  const auto name = options.name.empty() ? file.stem().string() : options.name;
  const auto lines = entry(name, keys.public_key, options);
  check(lines);
  write(file, print_curve_keys(
                  keys, "A key pair for Trestle (ZeroMQ CURVE). The secret key is for its owner only."));
  write(shared,
        print_curve_keys({keys.public_key, ""}, "The public key of " + name + ", for whoever talks to it."));
  if (::chmod(shared.c_str(), 0644) != 0)
    throw Failure(Exit::failed, "cannot make " + shared.string() + " readable");
  std::cerr << where_they_go(file.string());
  std::cout << lines << std::flush;
  return Exit::ok;
}

}  // namespace trestle::cli
