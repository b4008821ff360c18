#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/json_pointer.h"
#include "proto/result.h"

namespace trestle {

/// A set of JSON pointers (RFC 6901) as a tree of reference tokens, so that one walk over a document answers
/// them all. Immutable once built.
class PointerTrie {
 public:
  using Node = std::int32_t;
  static constexpr Node kNone = -1;
  static constexpr Node kRoot = 0;

  PointerTrie() : nodes_(1) {}

  /// Adds a pointer and names it `id`. Fails, saying why, for text that is not a pointer, and for "", the
  /// whole document.
  Result<Node> add(std::string_view pointer, std::size_t id);
  /// The root's child called `name`, made if need be.
  Node member_or_add(std::string name) { return child_for(kRoot, std::move(name), PointerToken::kNoIndex); }
  /// The child that `name` leads to, or kNone.
  Node member(Node parent, std::string_view name) const;
  /// The child that the array index leads to, or kNone.
  Node element(Node parent, std::uint64_t index) const;
  /// The ids of the pointers that end here.
  const std::vector<std::size_t>& ids(Node node) const { return at(node).ids; }
  bool has_children(Node node) const { return !at(node).children.empty(); }
  /// Adds the ids of the pointers that end here or below.
  void collect(Node node, std::vector<std::size_t>& ids) const;
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Child {
    std::string token;
    std::uint64_t index;  // see PointerToken
    Node node;
  };
  struct NodeData {
    std::vector<Child> children;
    std::vector<std::size_t> ids;
  };

  const NodeData& at(Node node) const { return nodes_[static_cast<std::size_t>(node)]; }
  Node child_for(Node parent, std::string token, std::uint64_t index);

  std::vector<NodeData> nodes_;
};

}  // namespace trestle
