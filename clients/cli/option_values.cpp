#include "clients/cli/option_values.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "bridge/config/text.h"
#include "bridge/config/values.h"
#include "proto/utf8.h"

namespace trestle::cli {
namespace {

using Check = std::function<std::string(std::string&)>;

// A validator with a description would put it beside the type: TEXT:FILE.
CLI::Validator checked(Check check) { return CLI::Validator(std::move(check), ""); }

}  // namespace

CLI::Option* takes_duration(CLI::Option* option, std::uint64_t most) {
  return option->type_name("DURATION")->transform(checked([most](std::string& text) {
    const auto parsed = parse_quantity(durations(), text, {1, most});
    if (!parsed) return parsed.error().message;
    text = std::to_string(*parsed);
    return std::string();
  }));
}

CLI::Option* takes_number(CLI::Option* option, std::uint64_t least, std::uint64_t most) {
  option->description(option->get_description() + "; from " + std::to_string(least) + " to " +
                      std::to_string(most));
  return option->type_name("NUMBER")->check(checked([least, most](std::string& text) {
    const auto parsed = parse_count(text, {least, most});
    return parsed ? std::string() : parsed.error().message;
  }));
}

CLI::Option* takes_text(CLI::Option* option) {
  return option->check(checked([](std::string& value) -> std::string {
    if (value.empty()) return "must not be empty (an unset variable?)";
    return is_utf8(value) ? "" : "must be UTF-8";
  }));
}

CLI::Option* takes_one_of(CLI::Option* option, std::vector<std::string> words) {
  return option->type_name("WORD")->check(checked([words = std::move(words)](std::string& text) {
    const bool known = std::find(words.begin(), words.end(), text) != words.end();
    return known ? std::string() : in_quotes(text) + " is none of: " + joined(words);
  }));
}

CLI::Option* takes_file(CLI::Option* option) {
  CLI::Validator exists = CLI::ExistingFile;
  return option->type_name("FILE")->check(exists.description(""));
}

CLI::Option* repeatable(CLI::Option* option) { return option->allow_extra_args(false); }

}  // namespace trestle::cli
