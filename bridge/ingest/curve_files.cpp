#include "bridge/ingest/curve_files.h"

#include <zmq.h>

#include <array>

#include "bridge/store/private_file.h"

namespace trestle {
namespace {

constexpr std::size_t kKeyText = 41;  // with its end

bool belong_together(const CurveKeys& keys) {
  std::array<char, kKeyText> derived{};
  return zmq_curve_public(derived.data(), keys.secret_key.c_str()) == 0 && keys.public_key == derived.data();
}

}  // namespace

Result<CurveKeys> load_key_pair(const std::filesystem::path& path) {
  const auto name = path.string();
  const auto text = read_small_file(path);
  if (!text) return text.error();
  auto keys = parse_curve_keys(*text);
  if (!keys) return Error{name + ":" + keys.error().message};
  if (keys->secret_key.empty()) {
    return Error{name +
                 " has a public key only: name the file with the secret key (`trestle keygen` makes both)"};
  }
  if (const auto fault = fault_of_secret(path)) return Error{name + " " + *fault};
  if (!belong_together(*keys)) {
    return Error{name + " has two keys that do not belong together: make a new pair with `trestle keygen`"};
  }
  return keys;
}

Result<CurveFiles> open_curve_files(const CurveSettings& settings) {
  auto keys = load_key_pair(settings.secret_key_file);
  if (!keys) return Error{settings.secret_key_place + keys.error().message};
  CurveFiles files{std::move(*keys), nullptr};
  if (settings.producers_file.empty()) return files;
  auto producers = ProducerWatch::open(settings.producers_file);
  if (!producers) return Error{settings.producers_place + producers.error().message};
  files.producers = std::move(*producers);
  return files;
}

}  // namespace trestle
