#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>

#include "bridge/config/config.h"
#include "bridge/config/keys.h"

namespace trestle {
namespace {

void print_keys(YAML::Emitter& out, const Keys& keys);

/// True if there is nothing to print: the value is unset, or of a kind that is left out when empty.
bool is_absent(const Key& key) {
  switch (key.shape) {
    case Key::Shape::value:
    case Key::Shape::values: {
      const auto texts = key.get();
      const bool empty =
          std::all_of(texts.begin(), texts.end(), [](const auto& text) { return text.empty(); });
      return (key.shape == Key::Shape::value && texts.empty()) || (key.omit_if_empty && empty);
    }
    case Key::Shape::map: {
      const auto keys = key.keys();
      return std::all_of(keys.begin(), keys.end(), is_absent);
    }
    case Key::Shape::maps: return key.items().empty();
  }
  return true;
}

void print_text(YAML::Emitter& out, const Key& key, const std::string& text) {
  if (key.quote) out << YAML::DoubleQuoted;
  out << (key.secret && !text.empty() ? "***" : text);
}

void print_value(YAML::Emitter& out, const Key& key) {
  switch (key.shape) {
    case Key::Shape::value: print_text(out, key, key.get().front()); break;
    case Key::Shape::values:
      out << YAML::Flow << YAML::BeginSeq;
      for (const auto& text : key.get()) print_text(out, key, text);
      out << YAML::EndSeq;
      break;
    case Key::Shape::map: print_keys(out, key.keys()); break;
    case Key::Shape::maps:
      out << YAML::BeginSeq;
      for (const auto& item : key.items()) print_keys(out, item);
      out << YAML::EndSeq;
      break;
  }
}

void print_keys(YAML::Emitter& out, const Keys& keys) {
  out << YAML::BeginMap;
  for (const auto& key : keys) {
    if (is_absent(key)) continue;
    out << YAML::Key << key.name << YAML::Value;
    print_value(out, key);
  }
  out << YAML::EndMap;
}

}  // namespace

std::string print_settings(const Settings& settings) {
  Draft draft{settings, {}};  // every listener has its own endpoints by now
  YAML::Emitter out;
  print_keys(out, keys_of(draft));
  return std::string(out.c_str()) + "\n";
}

}  // namespace trestle
