#include "proto/pointer_trie.h"

#include <charconv>
#include <utility>

namespace trestle {
namespace {

/// Replaces ~0 and ~1; false if a `~` is followed by anything else.
bool unescape(std::string_view escaped, std::string& token) {
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '~') {
      token.push_back(escaped[i]);
      continue;
    }
    if (++i == escaped.size() || (escaped[i] != '0' && escaped[i] != '1')) return false;
    token.push_back(escaped[i] == '0' ? '~' : '/');
  }
  return true;
}

Error bad_pointer(std::string_view pointer, std::string_view why) {
  std::string message = "\"";
  return Error{message.append(pointer).append("\" is not a JSON pointer to a member: ").append(why)};
}

}  // namespace

std::uint64_t PointerTrie::index_of(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return kNoIndex;
  std::uint64_t index = 0;
  const auto [stop, fault] = std::from_chars(token.data(), token.data() + token.size(), index);
  return fault == std::errc() && stop == token.data() + token.size() ? index : kNoIndex;
}

PointerTrie::Node PointerTrie::child_for(Node parent, std::string token) {
  const Node known = member(parent, token);
  if (known != kNone) return known;
  const auto made = static_cast<Node>(nodes_.size());
  nodes_.emplace_back();
  const std::uint64_t index = index_of(token);
  nodes_[static_cast<std::size_t>(parent)].children.push_back({std::move(token), index, made});
  return made;
}

Result<PointerTrie::Node> PointerTrie::add(std::string_view pointer, std::size_t id) {
  if (pointer.empty()) return bad_pointer(pointer, "it is empty, which means the whole event");
  if (pointer.front() != '/') return bad_pointer(pointer, "it must start with '/', for example \"/id\"");
  Node node = kRoot;
  while (!pointer.empty()) {
    const std::size_t end = pointer.find('/', 1);
    std::string token;
    if (!unescape(pointer.substr(1, end == std::string_view::npos ? end : end - 1), token)) {
      return bad_pointer(pointer, "'~' must be written ~0 and '/' within a name ~1");
    }
    node = child_for(node, std::move(token));
    pointer.remove_prefix(end == std::string_view::npos ? pointer.size() : end);
  }
  nodes_[static_cast<std::size_t>(node)].ids.push_back(id);
  return node;
}

PointerTrie::Node PointerTrie::member(Node parent, std::string_view name) const {
  for (const Child& child : at(parent).children) {
    if (child.token == name) return child.node;
  }
  return kNone;
}

PointerTrie::Node PointerTrie::element(Node parent, std::uint64_t index) const {
  for (const Child& child : at(parent).children) {
    if (child.index == index) return child.node;
  }
  return kNone;
}

void PointerTrie::collect(Node node, std::vector<std::size_t>& ids) const {
  ids.insert(ids.end(), at(node).ids.begin(), at(node).ids.end());
  for (const Child& child : at(node).children) collect(child.node, ids);
}

}  // namespace trestle
