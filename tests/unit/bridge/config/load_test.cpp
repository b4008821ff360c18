#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "bridge/config/keys.h"
#include "tests/unit/bridge/config/settings_fixture.h"

using namespace trestle;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

const fs::path kDeploy = fs::path(TRESTLE_SOURCE_DIR) / "deploy";

std::string load_error(const fs::path& file) {
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const auto settings = load_settings(file, nothing, [] { return std::vector<std::string>{}; });
  return settings ? "ok" : settings.error().message;
}

/// A folder of its own for a test, gone afterwards.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("trestle-config-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return path / name;
  }
};

/// The names of all keys, those of list items too.
void collect(const Keys& keys, std::vector<std::string>& names) {
  for (const auto& key : keys) {
    names.push_back(key.name);
    if (key.shape == Key::Shape::map) collect(key.keys(), names);
    if (key.shape == Key::Shape::maps) collect(key.add(), names);
  }
}

}  // namespace

TEST_CASE("nothing configured is a bridge on loopback that asks for a token") {
  const auto s = settings_of("");
  REQUIRE(s.listen.size() == 1);
  CHECK(s.listen[0].address == "localhost");
  CHECK(s.listen[0].port == 3001);
  CHECK(s.auth.enabled);
  const auto& endpoints = s.listen[0].endpoints;
  REQUIRE(endpoints.size() == 3);
  CHECK(endpoints[0].path == "/");
  CHECK(endpoints[0].format == Form::envelope);
  CHECK(endpoints[1].path == "/ws");
  CHECK(endpoints[1].format == Form::envelope);
  CHECK(endpoints[2].path == "/plugin/ws");
  CHECK(endpoints[2].format == Form::bare);
  for (const auto& endpoint : endpoints) CHECK(endpoint.auth);
}

TEST_CASE("the reference configuration spells out the defaults") {
  const auto reference = contents(kDeploy / "trestle.yaml");
  CHECK(print_settings(settings_of(reference)) == print_settings(settings_of("")));
}

TEST_CASE("the reference configuration mentions every key") {
  const auto reference = contents(kDeploy / "trestle.yaml");
  Draft draft = default_draft();
  std::vector<std::string> names;
  collect(keys_of(draft), names);
  CHECK(names.size() > 40);
  for (const auto& name : names) {
    INFO(name);
    CHECK(std::regex_search(reference, std::regex("(^|[ {\n])" + name + ":")));
  }
}

TEST_CASE("the example in the reference configuration is right once it is uncommented") {
  std::istringstream lines(contents(kDeploy / "trestle.yaml"));
  std::string example, line;
  for (bool inside = false; std::getline(lines, line);) {
    if (line.rfind("#   - match:", 0) == 0) inside = true;
    if (line.rfind("topics:", 0) == 0) break;
    if (inside) example += line.substr(1) + "\n";
  }
  CHECK(settings_of("topics:\n" + example).topics.size() == 2);
}

TEST_CASE("one configuration serves both documents' clients") {
  const auto s = settings_of(contents(kDeploy / "trestle-seeds.yaml"));
  REQUIRE(s.listen.size() == 2);
  CHECK(s.auth.enabled);
  CHECK(s.listen[0].address == "localhost");
  CHECK(s.listen[0].port == 3001);
  CHECK(s.listen[0].auth);
  REQUIRE(s.listen[0].endpoints.size() == 2);
  CHECK(s.listen[0].endpoints[0].path == "/");
  CHECK(s.listen[0].endpoints[1].path == "/ws");
  CHECK(s.listen[0].endpoints[1].auth);
  CHECK(s.listen[1].address == "localhost");
  CHECK(s.listen[1].port == 8000);
  CHECK_FALSE(s.listen[1].auth);
  CHECK(s.listen[1].origins.front() == "http://localhost:3000");
  REQUIRE(s.listen[1].endpoints.size() == 1);
  CHECK(s.listen[1].endpoints[0].path == "/plugin/ws");
  CHECK(s.listen[1].endpoints[0].format == Form::bare);
  CHECK_FALSE(s.listen[1].endpoints[0].auth);
}

TEST_CASE("listeners inherit the endpoints, and auth is what both say") {
  const auto s = settings_of(
      "listen: [{port: 1}, {port: 2, auth: none}, {port: 3, endpoints: [{path: /own}]}]\n"
      "endpoints: [{path: /a}, {path: /b, auth: none}]");
  REQUIRE(s.listen.size() == 3);
  CHECK(s.listen[0].endpoints[0].auth);
  CHECK_FALSE(s.listen[0].endpoints[1].auth);
  CHECK_FALSE(s.listen[1].endpoints[0].auth);
  CHECK_FALSE(s.listen[1].endpoints[1].auth);
  REQUIRE(s.listen[2].endpoints.size() == 1);
  CHECK(s.listen[2].endpoints[0].path == "/own");
  CHECK(s.listen[2].endpoints[0].auth);
}

TEST_CASE("relative paths start at the file's folder") {
  const auto s = settings_of("stream: {path: sub/x.db}\nauth: {tokens_file: /abs/t}", {}, "/etc/trestle");
  CHECK(s.stream.path == "/etc/trestle/sub/x.db");
  CHECK(s.auth.tokens_file == "/abs/t");
  CHECK(s.tls.certificate.empty());
  CHECK(settings_of("", {}, "/etc/trestle").stream.path == "/etc/trestle/trestle.db");
  CHECK(settings_of("stream: {path: \":memory:\"}", {}, "/etc/trestle").stream.path == ":memory:");
  CHECK(settings_of("").stream.path == "trestle.db");
}

TEST_CASE("a file is loaded with its name in errors, from its folder") {
  Folder folder;
  const auto good = folder.write("good.yaml", "shards: 2\n");
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const auto no_names = [] { return std::vector<std::string>{}; };
  const auto settings = load_settings(good, nothing, no_names);
  REQUIRE(settings);
  CHECK(settings->shards == 2);
  CHECK(settings->stream.path == folder.path / "trestle.db");
  const auto relative = fs::relative(good);
  CHECK(load_settings(relative, nothing, no_names)->stream.path.is_absolute());
  CHECK(load_settings(std::nullopt, nothing, no_names)->stream.path == fs::current_path() / "trestle.db");

  const auto bad = folder.write("bad.yaml", "shard: 2\n");
  CHECK(load_error(bad) == bad.string() + R"(:1:1: unknown key "shard" (did you mean "shards"?))");
}

TEST_CASE("a file that cannot be read says why") {
  Folder folder;
  CHECK(load_error(folder.path / "none.yaml") ==
        (folder.path / "none.yaml").string() + ": cannot be read: No such file or directory");
  CHECK(load_error(folder.path) == folder.path.string() + ": is a folder: name the file in it");
  const auto big = folder.write("big.yaml", std::string(1024 * 1024 + 1, '#'));
  CHECK(load_error(big) == big.string() + ":1:1: over 1 MiB, too big for a configuration");
  CHECK(load_error(folder.write("edge.yaml", std::string(1024 * 1024, '#'))) == "ok");
  CHECK(load_error("/dev/zero").rfind("/dev/zero:1:1: over 1 MiB", 0) == 0);
}
