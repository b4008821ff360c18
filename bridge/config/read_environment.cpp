#include <algorithm>
#include <cctype>

#include "bridge/config/nearest.h"
#include "bridge/config/read.h"
#include "bridge/config/text.h"

namespace trestle {
namespace {

constexpr const char* kPrefix = "TRESTLE_";

struct Variable {
  std::string name;
  std::string path;
  Key key;
};

std::string variable_name(const std::string& prefix, const std::string& key) {
  std::string name = prefix + key;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

/// A variable for each scalar and each list of scalars; of a list of maps for the first, where one is enough.
void collect(const Keys& keys, const std::string& prefix, const std::string& path,
             std::vector<Variable>& out) {
  for (const auto& key : keys) {
    const auto name = variable_name(prefix, key.name);
    const auto key_path = path_join(path, key.name);
    switch (key.shape) {
      case Key::Shape::value:
      case Key::Shape::values: out.push_back({name, key_path, key}); break;
      case Key::Shape::map: collect(key.keys(), name + "_", key_path, out); break;
      case Key::Shape::maps:
        if (key.one_is_enough) collect(key.items().front(), name + "_", path_item(key_path, 0), out);
        break;
    }
  }
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t start = 0; start <= text.size() && !text.empty();) {
    const auto comma = std::min(text.find(',', start), text.size());
    items.push_back(trimmed(text.substr(start, comma - start)));
    start = comma + 1;
  }
  return items;
}

Problem assign(const Key& key, const std::string& text) {
  if (!is_one_line(text)) return "holds a line end or a control character";
  if (key.shape == Key::Shape::value) return key.set(text);
  key.clear();
  for (const auto& item : split(text)) {
    if (const auto problem = key.set(item)) return problem;
  }
  return std::nullopt;
}

// These two belong to the trestle command line, which people run from the same shell.
bool is_for_command_line(const std::string& name) { return name == "TRESTLE_URL" || name == "TRESTLE_TOKEN"; }

std::optional<Error> refuse_unknown(const std::vector<std::string>& present,
                                    const std::vector<Variable>& variables) {
  std::vector<std::string> known;
  for (const auto& variable : variables) known.push_back(variable.name);
  for (const auto& name : present) {
    if (is_for_command_line(name) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto meant = nearest(name, known);
    const auto hint = meant.empty() ? "unset it, or set the key in the file" : "did you mean " + meant + "?";
    return Error{name + ": stands for no key that the environment can set (" + hint + ")"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> read_environment(const Environment& env, const EnvironmentNames& env_names, Draft& draft,
                                      Places& places) {
  std::vector<Variable> variables;
  collect(keys_of(draft), kPrefix, "", variables);
  auto present = env_names();
  std::sort(present.begin(), present.end());
  if (auto error = refuse_unknown(present, variables)) return error;
  for (const auto& variable : variables) {
    const auto text = env(variable.name);
    if (!text) continue;
    places.set_in_environment(variable.path, variable.name);
    if (const auto problem = assign(variable.key, *text)) return Error{variable.name + ": " + *problem};
  }
  return std::nullopt;
}

}  // namespace trestle
