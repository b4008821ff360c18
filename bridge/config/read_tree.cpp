#include <algorithm>

#include "bridge/config/nearest.h"
#include "bridge/config/read.h"
#include "bridge/config/text.h"

namespace trestle {
namespace {

using Kind = YamlNode::Kind;
using MaybeError = std::optional<Error>;

std::string name_of(Kind kind) {
  switch (kind) {
    case Kind::null: return "nothing";
    case Kind::scalar: return "a single value";
    case Kind::list: return "a list";
    case Kind::map: return "a map of keys";
  }
  return {};
}

std::vector<std::string> names_of(const Keys& keys) {
  std::vector<std::string> names;
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

class TreeReader {
 public:
  explicit TreeReader(Places& places) : places_(places) {}

  MaybeError map(const YamlNode& node, const Keys& keys, const std::string& path) {
    if (node.kind != Kind::map) return wrong_kind(node, path, "keys with values, such as " + example(keys));
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto& name = node.keys[i];
      const auto key =
          std::find_if(keys.begin(), keys.end(), [&](const Key& known) { return known.name == name.text; });
      if (key == keys.end()) return unknown(name, keys, path);
      if (auto error = value(node.items[i], *key, path_join(path, name.text))) return error;
    }
    return std::nullopt;
  }

 private:
  MaybeError value(const YamlNode& node, const Key& key, const std::string& path) {
    places_.set_in_file(path, node.line, node.column);
    switch (key.shape) {
      case Key::Shape::value: return scalar(node, key, path);
      case Key::Shape::values: return scalars(node, key, path);
      case Key::Shape::map: return map(node, key.keys(), path);
      case Key::Shape::maps: return maps(node, key, path);
    }
    return std::nullopt;
  }

  MaybeError scalar(const YamlNode& node, const Key& key, const std::string& path) {
    if (node.kind == Kind::null) {
      return Error{places_.line(path, "has no value: give it one, or leave the key out for its default")};
    }
    if (node.kind != Kind::scalar) return wrong_kind(node, path, "a single value");
    return set(node, key, path);
  }

  MaybeError scalars(const YamlNode& node, const Key& key, const std::string& path) {
    if (node.kind != Kind::list) return wrong_kind(node, path, "a list, such as [a, b]");
    key.clear();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto& item = node.items[i];
      const auto item_path = path_item(path, i);
      places_.set_in_file(item_path, item.line, item.column);
      if (item.kind != Kind::scalar) return wrong_kind(item, item_path, "a single value");
      if (auto error = set(item, key, item_path)) return error;
    }
    return std::nullopt;
  }

  MaybeError maps(const YamlNode& node, const Key& key, const std::string& path) {
    if (node.kind == Kind::map && key.one_is_enough) {
      key.clear();
      return item(node, key, path_item(path, 0));
    }
    if (node.kind != Kind::list) return wrong_kind(node, path, "a list of maps, each starting with a dash");
    if (node.items.empty() && !key.may_be_empty) {
      return Error{places_.line(path, "is empty: give it an item, or leave the key out for its default")};
    }
    if (node.items.size() > key.most) {
      return Error{places_.line(path, "has more than " + std::to_string(key.most) + " items")};
    }
    key.clear();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (auto error = item(node.items[i], key, path_item(path, i))) return error;
    }
    return std::nullopt;
  }

  MaybeError item(const YamlNode& node, const Key& key, const std::string& path) {
    places_.set_in_file(path, node.line, node.column);
    return map(node, key.add(), path);
  }

  MaybeError set(const YamlNode& node, const Key& key, const std::string& path) {
    if (!is_one_line(node.text)) {
      return Error{places_.line(path, "holds a line end or a control character")};
    }
    if (const auto problem = key.set(node.text)) return Error{places_.line(path, *problem)};
    return std::nullopt;
  }

  MaybeError wrong_kind(const YamlNode& node, const std::string& path, const std::string& wanted) {
    const auto message = "needs " + wanted + ", not " + name_of(node.kind);
    if (path.empty()) return Error{places_.line(node.line, node.column, "a configuration " + message)};
    return Error{places_.line(path, message)};
  }

  MaybeError unknown(const YamlNode& name, const Keys& keys, const std::string& path) {
    const auto names = names_of(keys);
    const auto meant = nearest(name.text, names);
    const auto where = path.empty() ? "" : " in " + path_shown(path);
    const auto hint =
        meant.empty() ? "(keys here: " + joined(names) + ")" : "(did you mean " + in_quotes(meant) + "?)";
    const auto message = "unknown key " + in_quotes(name.text) + where + " " + hint;
    return Error{places_.line(name.line, name.column, message)};
  }

  static std::string example(const Keys& keys) { return "\"" + keys.front().name + ": …\""; }

  Places& places_;
};

}  // namespace

std::optional<Error> read_tree(const YamlNode& root, Draft& draft, Places& places) {
  if (root.kind == Kind::null) return std::nullopt;
  return TreeReader(places).map(root, keys_of(draft), "");
}

}  // namespace trestle
