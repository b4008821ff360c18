#include "bridge/config/config.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "bridge/config/keys.h"
#include "bridge/config/places.h"
#include "bridge/config/read.h"
#include "bridge/config/validate.h"
#include "bridge/config/yaml_tree.h"

namespace trestle {
namespace {

namespace fs = std::filesystem;

// SQLite's name for a database without a file; not a path.
bool is_file(const fs::path& path) { return !path.empty() && path != ":memory:"; }

void resolve_paths(const Keys& keys, const fs::path& folder) {
  for (const auto& key : keys) {
    if (key.shape == Key::Shape::map) resolve_paths(key.keys(), folder);
    if (key.shape == Key::Shape::maps) {
      for (const auto& item : key.items()) resolve_paths(item, folder);
    }
    if (!key.path) continue;
    const fs::path path = key.get().front();
    if (is_file(path)) key.set((folder / path).string());
  }
}

/// Gives each listener its endpoints, with `auth` as it comes out there.
void hand_down_endpoints(Draft& draft) {
  for (auto& listener : draft.settings.listen) {
    if (listener.endpoints.empty()) listener.endpoints = draft.endpoints;
    for (auto& endpoint : listener.endpoints) endpoint.auth = endpoint.auth && listener.auth;
  }
}

/// So that whoever opens the files later can say which line named them.
void note_places(Settings& settings, const Places& places) {
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    auto& listener = settings.listen[i];
    listener.address_place = places.start(path_item("listen", i) + ".address");
    listener.port_place = places.start(path_item("listen", i) + ".port");
  }
  settings.tls.certificate_place = places.start("tls.certificate");
  settings.tls.key_place = places.start("tls.key");
  settings.tls.client_ca_place = places.start("tls.client_ca");
  settings.auth.token_place = places.start("auth.token");
  settings.auth.tokens_place = places.start("auth.tokens_file");
  settings.auth.revoked_place = places.start("auth.revoked_file");
  auto& jwt = settings.auth.jwt;
  jwt.jwks_place = places.start("auth.jwt.jwks_file");
  for (std::size_t i = 0; i < jwt.keys.size(); ++i) {
    jwt.keys[i].place = places.start(path_item("auth.jwt.keys", i));
  }
  settings.ingest.curve.secret_key_place = places.start("ingest.curve.secret_key_file");
  settings.ingest.curve.producers_place = places.start("ingest.curve.producers_file");
  settings.stream.place = places.start("stream.path");
  settings.user_place = places.start("user");
}

Result<Settings> settings_from(const YamlNode& tree, Places places, const fs::path& folder,
                               const Environment& env, const EnvironmentNames& env_names) {
  Draft draft = default_draft();
  if (auto error = read_tree(tree, draft, places)) return *error;
  if (auto error = read_environment(env, env_names, draft, places)) return *error;
  if (auto complaint = find_complaint(draft)) return Error{places.line(complaint->path, complaint->message)};
  resolve_paths(keys_of(draft), folder);
  hand_down_endpoints(draft);
  note_places(draft.settings, places);
  return std::move(draft.settings);
}

/// At most one byte more than a configuration may have, so that a device or a log given by mistake is not
/// read whole.
Result<std::string> read_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) return Error{file.string() + ": is a folder: name the file in it"};
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMaxYamlBytes + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream && !stream.eof()) {
    const int reason = errno;
    return Error{file.string() + ": cannot be read: " + std::strerror(reason)};
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

Result<Settings> load_settings(const std::optional<fs::path>& file, const Environment& env,
                               const EnvironmentNames& env_names) {
  // Absolute, so that what is printed means the same wherever it is read back.
  std::error_code ignored;
  const auto folder = fs::absolute(file ? *file : fs::path("settings"), ignored).parent_path();
  if (!file) return settings_from(YamlNode{}, Places("settings"), folder, env, env_names);
  const auto text = read_file(*file);
  if (!text) return text.error();
  return parse_settings(*text, file->string(), folder, env, env_names);
}

Result<Settings> parse_settings(std::string_view yaml, const std::string& name, const fs::path& folder,
                                const Environment& env, const EnvironmentNames& env_names) {
  Places places(name);
  const auto tree = parse_yaml(yaml);
  if (!tree) return Error{places.line(tree.error().line, tree.error().column, tree.error().message)};
  return settings_from(*tree, std::move(places), folder, env, env_names);
}

}  // namespace trestle
