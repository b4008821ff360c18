#include "bridge/auth/producer_list.h"

#include <algorithm>
#include <set>

#include "bridge/config/text.h"
#include "bridge/config/yaml_tree.h"
#include "bridge/store/private_file.h"
#include "proto/curve_key.h"
#include "proto/topic.h"

namespace trestle {
namespace {

using Kind = YamlNode::Kind;
using ByKey = std::map<std::string, ProducerGrant, std::less<>>;

constexpr std::size_t kMaxProducers = 10'000;

// Thrown inside this file only, to leave nested reading at once.
struct BadEntry {
  std::size_t line;
  std::size_t column;
  std::string what;
};
[[noreturn]] void refuse(const YamlNode& node, std::string what) {
  throw BadEntry{node.line, node.column, std::move(what)};
}

struct Entry {
  std::string key;
  ProducerGrant grant;
};

const std::string& text_of(const YamlNode& node, const std::string& name) {
  if (node.kind != Kind::scalar || node.text.empty() || !is_one_line(node.text)) {
    refuse(node, name + " must be a text of one line");
  }
  return node.text;
}

// An empty list would read as "nothing" and mean "everything".
const std::vector<YamlNode>& items_of(const YamlNode& node, const std::string& name) {
  if (node.kind != Kind::list || node.items.empty()) {
    refuse(node, name + " must be a list of at least one; leave the key out to allow all");
  }
  if (node.items.size() > kMaxPatterns)
    refuse(node, name + " has over " + std::to_string(kMaxPatterns) + " items");
  return node.items;
}

std::string id_of(const YamlNode& node) {
  const auto& id = text_of(node, "an id");
  const auto fixed = id.back() == '*' ? id.substr(0, id.size() - 1) : id;
  if (!is_producer_id(fixed)) {
    refuse(node,
           in_quotes(id) + " is no producer id: at most 64 of A-Z a-z 0-9 _ -, and at the end perhaps a *");
  }
  return id;
}

Pattern pattern_of(const YamlNode& node) {
  auto pattern = Pattern::parse(text_of(node, "a topic"));
  if (!pattern) refuse(node, pattern.error().message);
  return std::move(*pattern);
}

// False if there is no such member.
bool set_member(Entry& entry, const std::string& name, const YamlNode& value) {
  if (name == "name") {
    entry.grant.name = text_of(value, name);
  } else if (name == "key") {
    entry.key = text_of(value, name);
    if (!is_curve_key(entry.key)) {
      refuse(value,
             "key must be a public key: 40 characters in double quotes, as `trestle keygen` prints them");
    }
  } else if (name == "ids") {
    for (const auto& id : items_of(value, name)) entry.grant.ids.push_back(id_of(id));
  } else if (name == "topics") {
    for (const auto& topic : items_of(value, name)) entry.grant.topics.push_back(pattern_of(topic));
  } else {
    return false;
  }
  return true;
}

Entry entry_of(const YamlNode& node) {
  if (node.kind != Kind::map) refuse(node, "a producer must be a map with name and key");
  Entry entry;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto& name = node.keys[i];
    if (!set_member(entry, name.text, node.items[i])) {
      refuse(name, "unknown key " + in_quotes(name.text) + " (name, key, ids, topics)");
    }
  }
  if (entry.grant.name.empty() || entry.key.empty()) refuse(node, "a producer needs a name and a key");
  return entry;
}

ByKey entries_of(const YamlNode& root) {
  if (root.kind != Kind::map || root.keys.size() != 1 || root.keys[0].text != "producers") {
    refuse(root, "a list of producers has one key, producers");
  }
  const auto& producers = root.items[0];
  if (producers.kind != Kind::list) {
    refuse(producers, "producers must be a list; write producers: [] to let nobody in");
  }
  if (producers.items.size() > kMaxProducers) {
    refuse(producers, "over " + std::to_string(kMaxProducers) + " producers");
  }
  ByKey by_key;
  std::set<std::string> names;
  for (const auto& node : producers.items) {
    auto entry = entry_of(node);
    if (!names.insert(entry.grant.name).second) {
      refuse(node, "the name " + in_quotes(entry.grant.name) + " is there twice: give each producer its own");
    }
    if (!by_key.emplace(entry.key, std::move(entry.grant)).second) {
      refuse(node, "the key " + in_quotes(entry.key) + " is there twice: give each producer its own");
    }
  }
  return by_key;
}

Error at(const std::filesystem::path& path, std::size_t line, std::size_t column, const std::string& what) {
  return Error{path.string() + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + what};
}

}  // namespace

Result<ProducerList> ProducerList::load(const std::filesystem::path& path) {
  const auto text = read_small_file(path);
  if (!text) return text.error();
  if (const auto fault = fault_of_rules(path)) return Error{path.string() + " " + *fault};
  return parse(*text, path);
}

Result<ProducerList> ProducerList::parse(std::string_view text, const std::filesystem::path& path) {
  const auto root = parse_yaml(text);
  if (!root) return at(path, root.error().line, root.error().column, root.error().message);
  try {
    ProducerList list;
    list.by_key_ = entries_of(*root);
    return list;
  } catch (const BadEntry& bad) {
    return at(path, bad.line, bad.column, bad.what);
  }
}

const ProducerGrant* ProducerList::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

bool ProducerList::has_all_of(const ProducerList& other) const {
  return std::all_of(other.by_key_.begin(), other.by_key_.end(),
                     [this](const auto& entry) { return by_key_.count(entry.first) > 0; });
}

}  // namespace trestle
