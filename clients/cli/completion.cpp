#include "clients/cli/completion.h"

#include <CLI/CLI.hpp>
#include <vector>

namespace trestle::cli {
namespace {

struct Choice {
  std::string word;
  std::string about;
  bool takes_value = false;
};
struct Place {
  std::string path;  ///< "trestle token create"
  std::vector<Choice> choices;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Place place_of(const CLI::App& app, const std::string& path) {
  Place place{path, {}};
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    place.choices.push_back({sub->get_name(), first_line(sub->get_description()), false});
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      place.choices.push_back(
          {"--" + name, first_line(option->get_description()), option->get_items_expected_max() > 0});
    }
  }
  return place;
}

void walk(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  places.push_back(place_of(app, path));
  for (const CLI::App* sub : app.get_subcommands(nullptr)) walk(*sub, path + " " + sub->get_name(), places);
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string words(const Place& place) {
  std::string out;
  for (const Choice& choice : place.choices) out += (out.empty() ? "" : " ") + choice.word;
  return out;
}

/// `case` arms that extend $path whenever the next word names a subcommand.
std::string path_arms(const std::vector<Place>& places, const std::string& indent) {
  std::string out;
  for (std::size_t i = 1; i < places.size(); ++i) out += (i == 1 ? "" : "|") + quoted(places[i].path);
  return out.empty() ? "" : indent + out + ") path=\"$path $word\" ;;\n";
}

std::string bash(const std::string& name, const std::vector<Place>& places) {
  std::string out = "# bash completion for " + name + "\n_" + name + "() {\n  local path=" + name +
                    " word choices=\n  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                    "    case \"$path $word\" in\n" +
                    path_arms(places, "      ") + "    esac\n  done\n  case $path in\n";
  for (const Place& place : places)
    out += "    " + quoted(place.path) + ") choices=" + quoted(words(place)) + " ;;\n";
  return out +
         "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
         "complete -o default -F _" +
         name + " " + name + "\n";
}

std::string zsh(const std::string& name, const std::vector<Place>& places) {
  std::string out = "#compdef " + name + "\n_" + name + "() {\n  local path_=" + name +
                    " word\n  local -a choices\n  for word in ${words[2,CURRENT-1]}; do\n"
                    "    case \"$path_ $word\" in\n";
  std::string arms;
  for (std::size_t i = 1; i < places.size(); ++i) arms += (i == 1 ? "" : "|") + quoted(places[i].path);
  out += "      " + arms + ") path_=\"$path_ $word\" ;;\n    esac\n  done\n  case $path_ in\n";
  for (const Place& place : places) {
    out += "    " + quoted(place.path) + ") choices=(";
    for (const Choice& choice : place.choices) {
      // A colon ends the word in what _describe reads.
      out += "\n      " + quoted(choice.word + ":" + choice.about);
    }
    out += ") ;;\n";
  }
  return out + "  esac\n  _describe " + name + " choices || _files\n}\ncompdef _" + name + " " + name + "\n";
}

std::string fish(const std::string& name, const std::vector<Place>& places) {
  std::string paths;
  for (const Place& place : places) paths += " " + quoted(place.path);
  std::string out = "# fish completion for " + name + "\nfunction __" + name + "_at\n  set -l path " + name +
                    "\n  for word in (commandline -opc)[2..]\n    contains -- \"$path $word\"" + paths +
                    "; and set path \"$path $word\"\n  end\n  test \"$path\" = \"$argv[1]\"\nend\n";
  for (const Place& place : places) {
    for (const Choice& choice : place.choices) {
      const bool option = choice.word.compare(0, 2, "--") == 0;
      out += "complete -c " + name + " -n " + quoted("__" + name + "_at '" + place.path + "'") +
             (option ? " -l " + choice.word.substr(2) + (choice.takes_value ? " -r" : "")
                     : " -f -a " + choice.word) +
             " -d " + quoted(choice.about) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  const std::string& name = app.get_name();
  std::vector<Place> places;
  walk(app, name, places);
  if (shell == "bash") return bash(name, places);
  if (shell == "zsh") return zsh(name, places);
  if (shell == "fish") return fish(name, places);
  return "";
}

}  // namespace trestle::cli
