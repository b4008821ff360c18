#include "clients/cli/usage_error.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <vector>

#include "bridge/config/nearest.h"
#include "bridge/config/text.h"

namespace trestle::cli {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kLongestName = 24;  // ours are shorter by far, and tokens longer

const CLI::App& deepest(const CLI::App& root) {
  const CLI::App* at = &root;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::string path_of(const CLI::App& app) {
  return (app.get_parent() == nullptr ? "" : path_of(*app.get_parent()) + " ") + app.get_name();
}

Words unexpected_by(const CLI::App& app) {
  Words words = app.remaining();
  words.erase(std::remove(words.begin(), words.end(), "--"), words.end());
  return words;
}

/// Where the first word stands that nobody expected; without one, the deepest subcommand.
const CLI::App& place_of_trouble(const CLI::App& root) {
  for (const CLI::App* at = &root;; at = at->get_subcommands().front()) {
    if (!unexpected_by(*at).empty() || at->get_subcommands().empty()) return *at;
  }
}

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

/// Empty for what may be a secret, or no name at all.
std::string as_name(const std::string& word) {
  const bool fine = word.size() <= kLongestName && std::all_of(word.begin(), word.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '-' || c == '_';
                    });
  return fine ? word : "";
}

/// Without its value: --name of --name=value, -n of -nvalue.
std::string option_name(const std::string& word) {
  return as_name(word[1] == '-' ? word.substr(0, word.find('=')) : word.substr(0, 2));
}

std::string meant(const std::string& word, const Words& candidates) {
  const auto guess = nearest(word, candidates);
  return guess.empty() ? "" : " (did you mean " + guess + "?)";
}

Words options_of(const CLI::App& app) {
  Words names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Words subcommands_of(const CLI::App& app) {
  Words names;
  // An option group is a subcommand without a name.
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    if (!sub->get_name().empty()) names.push_back(sub->get_name());
  }
  return names;
}

std::string wrong_option(const CLI::App& app, const std::string& word) {
  const auto name = option_name(word);
  if (name.empty()) return "an option that there is not";
  if (!app.get_subcommands().empty()) return "there is no option " + name + " before the subcommand";
  return "there is no option " + name + meant(name, options_of(app));
}

std::string wrong_subcommand(const Words& words, const Words& known) {
  const auto list = "; there are: " + joined(known);
  if (words.empty()) return "a subcommand is missing" + list;
  const auto name = as_name(words.front());
  if (name.empty()) return "that is no subcommand" + list;
  return "there is no subcommand " + in_quotes(name) + meant(name, known) + list;
}

std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  // A mistyped option is often the one that is required.
  if (code != CLI::ExitCodes::ExtrasError && code != CLI::ExitCodes::RequiredError) return error.what();
  const auto words = unexpected_by(app);
  const auto option = std::find_if(words.begin(), words.end(), is_option);
  if (option != words.end()) return wrong_option(app, *option);
  if (const auto known = subcommands_of(app); !known.empty()) return wrong_subcommand(words, known);
  if (words.empty() && code == CLI::ExitCodes::RequiredError) return error.what();
  return "more arguments than it takes; the value of an option stands behind its name";
}

}  // namespace

std::string command_name(const CLI::App& root) { return path_of(deepest(root)); }

std::string usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& place = place_of_trouble(root);
  const auto name = path_of(place);
  return name + ": " + complaint(place, error) + "\nRun " + name + " --help for more information.\n";
}

}  // namespace trestle::cli
