#include "proto/event.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <utility>

#include "proto/pointer_trie.h"
#include "proto/utf8.h"

namespace trestle {
namespace {

constexpr std::size_t kMaxPointers = 64;
// The encoding is checked afterwards: RapidJSON looks at each byte of a string by itself, which cost more
// than all the rest of the check.
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

/// What a walk notes of one node of the trie.
struct NodeState {
  std::uint64_t seen_in = 0;       // the walk that met it last
  std::vector<std::size_t> below;  // the pointers that end here or below
};

/// SAX handler that follows a document along the trie. Off the trie it only counts levels.
class Walk {
 public:
  Walk(PointerTrie trie, PointerTrie::Node type, std::size_t pointers, std::size_t max_depth)
      : trie_(std::move(trie)),
        type_node_(type),
        max_depth_(max_depth),
        found_(pointers),
        nodes_(trie_.size()) {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      trie_.collect(static_cast<PointerTrie::Node>(i), nodes_[i].below);
    levels_.reserve(max_depth + 1);
  }

  void start(const rapidjson::MemoryStream& stream) {
    stream_ = &stream;
    ++walk_;
    levels_.clear();
    next_ = PointerTrie::kRoot;
    type_state_ = Found::State::absent;
    is_object_ = too_deep_ = false;
    for (Found& found : found_) {
      found.state = Found::State::absent;
      found.text.clear();
      found.raw = {};
    }
  }

  bool too_deep() const { return too_deep_; }
  bool is_object() const { return is_object_; }
  Found::State type_state() const { return type_state_; }
  const std::string& type() const { return type_; }
  const Found& found(std::size_t i) const { return found_[i]; }

  // Called by RapidJSON.
  bool Null() { return literal(4); }
  bool Bool(bool is_true) { return literal(is_true ? 4 : 5); }
  bool Int(int) { return skip(); }
  bool Uint(unsigned) { return skip(); }
  bool Int64(std::int64_t) { return skip(); }
  bool Uint64(std::uint64_t) { return skip(); }
  bool Double(double) { return skip(); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const PointerTrie::Node node = enter();
    if (node != PointerTrie::kNone) note(node, {text, size}, false);
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const PointerTrie::Node node = enter();
    if (node == PointerTrie::kNone) return true;
    note(node, {text, size}, true);
    if (node == type_node_ && type_state_ == Found::State::absent) {
      type_state_ = Found::State::value;
      type_.assign(text, size);
    }
    return true;
  }
  bool Key(const char* name, rapidjson::SizeType size, bool) {
    const PointerTrie::Node parent = levels_.back().node;
    if (parent != PointerTrie::kNone) next_ = meet(trie_.member(parent, {name, size}));
    return true;
  }
  bool StartObject() {
    if (levels_.empty()) is_object_ = true;
    return open(false);
  }
  bool StartArray() { return open(true); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

 private:
  struct Level {
    PointerTrie::Node value;  // kNone: off the trie
    PointerTrie::Node node;   // the same, and kNone if no pointer goes on from there
    bool array;
    std::uint64_t count;  // elements met so far
    std::size_t start;    // its bracket
  };

  /// The node of the value that starts now.
  PointerTrie::Node enter() {
    if (levels_.empty() || !levels_.back().array) return std::exchange(next_, PointerTrie::kNone);
    Level& level = levels_.back();
    return level.node == PointerTrie::kNone ? level.node : trie_.element(level.node, level.count++);
  }
  bool skip() {
    enter();
    return true;
  }
  bool open(bool array) {
    if (levels_.size() == max_depth_) {
      too_deep_ = true;
      return false;
    }
    const PointerTrie::Node value = enter();
    const bool goes_on = value != PointerTrie::kNone && trie_.has_children(value);
    levels_.push_back({value, goes_on ? value : PointerTrie::kNone, array, 0, stream_->Tell()});
    return true;
  }
  bool close() {
    const Level& level = levels_.back();
    // RapidJSON tells of a bracket before it takes it.
    if (level.value != PointerTrie::kNone) note_other(level.value, level.start, stream_->Tell() + 1);
    levels_.pop_back();
    return true;
  }
  bool literal(std::size_t size) {
    const PointerTrie::Node node = enter();
    if (node != PointerTrie::kNone) note_other(node, stream_->Tell() - size, stream_->Tell());
    return true;
  }
  /// A member's name led to `node`; the second time everything below is in doubt.
  PointerTrie::Node meet(PointerTrie::Node node) {
    if (node == PointerTrie::kNone) return node;
    NodeState& state = nodes_[static_cast<std::size_t>(node)];
    if (state.seen_in != walk_) {
      state.seen_in = walk_;
      return node;
    }
    if (node == type_node_) type_state_ = Found::State::duplicate;
    for (const std::size_t id : state.below) found_[id].state = Found::State::duplicate;
    return PointerTrie::kNone;
  }
  void note(PointerTrie::Node node, std::string_view text, bool is_string) {
    const auto& ids = trie_.ids(node);
    if (ids.empty()) return;
    const std::size_t raw_size = is_string ? string_size() : text.size();
    for (const std::size_t id : ids) {
      found_[id].state = Found::State::value;
      found_[id].text = text;
      found_[id].raw = {stream_->begin_ + stream_->Tell() - raw_size, raw_size};
    }
  }
  void note_other(PointerTrie::Node node, std::size_t from, std::size_t to) {
    for (const std::size_t id : trie_.ids(node)) {
      found_[id].state = Found::State::other;
      found_[id].raw = {stream_->begin_ + from, to - from};
    }
  }
  /// Of the string member that the stream has just passed, quotes included. What opens it is the first quote
  /// on the way back that no odd number of backslashes stands before: inside, every quote is escaped.
  std::size_t string_size() const {
    const char* const end = stream_->begin_ + stream_->Tell();
    const char* open = end - 2;
    for (;; --open) {
      if (*open != '"') continue;
      const char* slash = open;
      while (slash[-1] == '\\') --slash;
      if ((open - slash) % 2 == 0) return static_cast<std::size_t>(end - open);
    }
  }

  const PointerTrie trie_;
  const PointerTrie::Node type_node_;
  const std::size_t max_depth_;
  std::vector<Found> found_;
  std::vector<NodeState> nodes_;
  std::vector<Level> levels_;
  std::string type_;
  const rapidjson::MemoryStream* stream_ = nullptr;  // of the walk at hand
  std::uint64_t walk_ = 0;
  PointerTrie::Node next_ = PointerTrie::kNone;
  Found::State type_state_ = Found::State::absent;
  bool is_object_ = false;
  bool too_deep_ = false;
};

}  // namespace

struct EventChecker::Impl {
  Impl(std::size_t max, PointerTrie trie, PointerTrie::Node type, std::size_t pointers, std::size_t max_depth)
      : max_bytes(max), walk(std::move(trie), type, pointers, max_depth) {}

  std::size_t max_bytes;
  Walk walk;
  rapidjson::Reader reader;  // keeps its buffer from call to call
};

Result<EventChecker> EventChecker::make(EventLimits limits, const std::vector<std::string>& pointers) {
  if (pointers.size() > kMaxPointers) {
    return Error{std::to_string(pointers.size()) + " JSON pointers, at most " + std::to_string(kMaxPointers) +
                 " are possible"};
  }
  PointerTrie trie;
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    const auto added = trie.add(pointers[i], i);
    if (!added) return added.error();
  }
  const PointerTrie::Node type = trie.member_or_add("type");
  return EventChecker(
      std::make_unique<Impl>(limits.max_bytes, std::move(trie), type, pointers.size(), limits.max_depth));
}

EventChecker::EventChecker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventChecker::EventChecker(EventChecker&&) noexcept = default;
EventChecker& EventChecker::operator=(EventChecker&&) noexcept = default;
EventChecker::~EventChecker() = default;

Reject EventChecker::check(std::string_view payload) {
  if (payload.size() > impl_->max_bytes) return Reject::too_big;
  Walk& walk = impl_->walk;
  rapidjson::MemoryStream stream(payload.data(), payload.size());
  walk.start(stream);
  const auto result = impl_->reader.Parse<kFlags>(stream, walk);
  if (walk.too_deep()) return Reject::too_deep;
  // A NUL looks like the end to RapidJSON.
  if (result.IsError() || stream.Tell() != payload.size()) return Reject::not_json;
  if (!is_utf8(payload)) return Reject::invalid_utf8;
  if (!walk.is_object()) return Reject::not_object;
  if (walk.type_state() == Found::State::duplicate) return Reject::duplicate_member;
  return walk.type_state() == Found::State::value ? Reject::none : Reject::no_type;
}

const std::string& EventChecker::type() const { return impl_->walk.type(); }
const Found& EventChecker::at(std::size_t i) const { return impl_->walk.found(i); }

}  // namespace trestle
