#include "bridge/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "bridge/config/text.h"

namespace trestle {
namespace {

// Thrown through yaml-cpp's parser, which offers a handler no other way to stop it; caught in parse_yaml.
struct Refused {
  YamlError error;
};

[[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
  throw Refused{{static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1,
                 std::move(message)}};
}

/// Builds the tree from yaml-cpp's events. Its stack holds the lists and maps that are still open.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(started_, true)) refuse(mark, "a second document starts here: one file, one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add(node(YamlNode::Kind::null, mark), mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported: write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_tag(mark, tag);
    auto scalar = node(YamlNode::Kind::scalar, mark);
    scalar.text = value;
    add(std::move(scalar), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
  };

  static YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode made;
    made.kind = kind;
    made.line = static_cast<std::size_t>(mark.line) + 1;
    made.column = static_cast<std::size_t>(mark.column) + 1;
    return made;
  }

  // "?" and "!" are what yaml-cpp calls the absence of a tag, for plain and for quoted values.
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, "tags (!name) are not supported: leave it out");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (open_.size() == kMaxYamlDepth) {
      refuse(mark, "nested more than " + std::to_string(kMaxYamlDepth) + " deep");
    }
    open_.push_back({node(kind, mark), mark});
  }

  void close() {
    auto closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.mark);
  }

  void add(YamlNode child, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = std::move(child);
    } else if (auto& parent = open_.back().node; expects_key(parent)) {
      add_key(parent, std::move(child), mark);
    } else {
      parent.items.push_back(std::move(child));
    }
  }

  static bool expects_key(const YamlNode& parent) {
    return parent.kind == YamlNode::Kind::map && parent.keys.size() == parent.items.size();
  }

  static void add_key(YamlNode& map, YamlNode key, const YAML::Mark& mark) {
    if (key.kind != YamlNode::Kind::scalar) refuse(mark, "a key must be a word");
    // No map of ours has more keys; the bound also keeps the search below from becoming quadratic.
    if (map.keys.size() == kMaxKeys) refuse(mark, "too many keys in one map");
    const auto same = std::find_if(map.keys.begin(), map.keys.end(),
                                   [&](const YamlNode& other) { return other.text == key.text; });
    if (same != map.keys.end()) {
      refuse(mark, "duplicate key " + in_quotes(key.text) + " (first given on line " +
                       std::to_string(same->line) + ")");
    }
    map.keys.push_back(std::move(key));
  }

  static constexpr std::size_t kMaxKeys = 256;
  std::vector<Open> open_;
  YamlNode root_;
  bool started_ = false;
};

YamlError at_byte(std::string_view text, std::size_t index, std::string message) {
  const auto before = text.substr(0, index);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const auto line_start = lines == 0 ? 0 : before.rfind('\n') + 1;
  return {lines + 1, index - line_start + 1, std::move(message)};
}

/// True if the line (from 0) begins with white space that holds a tab, which YAML does not take for
/// indentation.
bool is_indented_with_tab(std::string_view text, int line) {
  for (; line > 0 && !text.empty(); --line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

YamlError explained(const YAML::Exception& e, std::string_view text) {
  const auto message = "not YAML: " + e.msg;
  if (e.mark.is_null()) return {1, 1, message};
  const auto line = static_cast<std::size_t>(e.mark.line) + 1;
  const auto column = static_cast<std::size_t>(e.mark.column) + 1;
  const bool tab = is_indented_with_tab(text, e.mark.line);
  return {line, column, message + (tab ? " (this line is indented with a tab: use spaces)" : "")};
}

}  // namespace

Result<YamlNode, YamlError> parse_yaml(std::string_view text) {
  if (text.size() > kMaxYamlBytes) return YamlError{1, 1, "over 1 MiB, too big for a configuration"};
  if (const auto bad = find_bad_byte(text)) {
    return at_byte(text, *bad, "not text: a control character, or a byte that is not UTF-8");
  }
  std::istringstream stream{std::string(text)};
  TreeBuilder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& e) {
    return explained(e, text);
  }
  return builder.take();
}

}  // namespace trestle
