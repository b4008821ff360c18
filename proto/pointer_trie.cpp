#include "proto/pointer_trie.h"

#include <utility>

#include "proto/json_pointer.h"

namespace trestle {

PointerTrie::Node PointerTrie::child_for(Node parent, std::string token, std::uint64_t index) {
  const Node known = member(parent, token);
  if (known != kNone) return known;
  const auto made = static_cast<Node>(nodes_.size());
  nodes_.emplace_back();
  nodes_[static_cast<std::size_t>(parent)].children.push_back({std::move(token), index, made});
  return made;
}

Result<PointerTrie::Node> PointerTrie::add(std::string_view pointer, std::size_t id) {
  auto tokens = split_pointer(pointer);
  if (!tokens) return tokens.error();
  Node node = kRoot;
  for (auto& token : *tokens) node = child_for(node, std::move(token.name), token.index);
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
